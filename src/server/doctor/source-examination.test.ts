import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testDatabase } from '../../../test/support/database.ts'
import { declareSources, httpSource } from '../../../test/support/sources.ts'
import { openTestRun } from '../../../test/support/tool-run.ts'
import type { House } from '../../house/index.ts'
import { newId } from '../../kernel/ids.ts'
import { readSources } from '../read/sources.ts'
import { sourceExamination } from './source-examination.ts'

test('doctor says whether anybody reads, how old it is, what failed, and where a command was not let', async (t) => {
  const database = await testDatabase(t)
  const [leads, deals, prices] = [httpSource('leads', 'https://api.example.org/'), httpSource('deals', 'https://api.example.org/'), httpSource('prices', 'https://api.example.org/')]
  let declared: (typeof leads)[] = []
  let ahead = 0
  const look = async () => {
    const house = { settings: { sources: declared } } as unknown as House
    const found = await sourceExamination({ database: database.as('castellan_server'), clock: { now: () => new Date(Date.now() + ahead) }, house: () => house }).look()
    return [found].flat().map(({ status, what }) => `${status} ${what}`)
  }
  assert.deepEqual(await look(), ['ok no source is declared'])
  declared = [leads, deals, prices]
  assert.match((await look()).join(), /^fail 3 source\(s\) are declared, and nothing reads them/)

  await database.owner.pool.query(`insert into process (name, state, isolation) values ('reader', 'ready', '')`)
  await declareSources(database, declared)
  const { run } = await openTestRun(database)
  const reader = database.as('castellan_reader').pool
  const taken = async (source: string) => {
    const id = newId()
    await database.as('castellan_worker_private').pool.query(`select source_ask($1, $2, $3, $4, '{}')`, [id, run.id, run.fence, source])
    await reader.query('select source_take($1)', [id])
    return id
  }
  await reader.query(`select source_store($1, 200, 'application/json', '1')`, [await taken('leads')])
  const failing = await taken('deals')
  const connection = newId()
  await reader.query(`select source_connect($1, $2, 'evil.test:443', null, null)`, [connection, failing])
  await reader.query(`select source_disconnect($1, 'refused: host', 0, 0)`, [connection])
  await reader.query(`select source_fail($1, 'exit', 3, null)`, [failing])
  assert.deepEqual(await look(), [
    'ok 3 source(s), 1 of them with a snapshot',
    'warn deals: it was never read; a job has to ask for it with source.refresh',
    'warn deals: the last time it was asked for, it failed (exit, 3)',
    'warn deals: its command was refused "evil.test:443" today; declare it under network if it is meant',
    'warn prices: it was never read; a job has to ask for it with source.refresh',
  ])
  const { sources } = await readSources({ database: database.as('castellan_server'), clock: { now: () => new Date() }, house: () => ({ settings: { sources: declared } }) as unknown as House })
  assert.deepEqual(sources.map(({ name, state, today, last, refused_hosts: hosts }) => [name, state, today, last?.reason, hosts]), [
    ['leads', 'fresh', { fetched: 1, failed: 0, refused: 0, bytes: 1 }, null, []], ['deals', 'never', { fetched: 0, failed: 1, refused: 0, bytes: 0 }, 'exit', ['evil.test:443']], ['prices', 'never', { fetched: 0, failed: 0, refused: 0, bytes: 0 }, undefined, []],
  ])
  ahead = 9 * 3_600_000
  assert.ok((await look()).includes('warn leads: its newest snapshot is 9h old, and good for 8h'))
})
