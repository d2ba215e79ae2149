import assert from 'node:assert/strict'
import { appendFileSync, readFileSync, renameSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import pg from 'pg'
import { testDatabase } from '../../test/support/database.ts'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { createDatabaseLogWatch } from './watch-database-log.ts'

const line = (code: string, role: string, message = 'ERROR:  permission denied for table draft') => `2026-03-02 09:00:00.123 UTC [4711] ${code} ${role} ${message}\n`

function watched(t: TestContext) {
  const file = join(temporaryFolder(t), 'postgres.log')
  writeFileSync(file, line('42501', 'castellan_server'))
  const noted: string[] = []
  const look = createDatabaseLogWatch(file, { note: (kind, subject, seen) => void noted.push(`${kind} ${subject} ${seen?.code}`) })
  return {
    file, look,
    noted: async () => {
      while ((await look()) === 0);
      return noted.splice(0)
    },
  }
}

test('refused statements are counted by role, wrong passwords together, and what was there before not at all', async (t) => {
  const { file, noted } = watched(t)
  assert.deepEqual(await noted(), [])
  appendFileSync(file, line('42501', 'castellan_worker_open') + line('00000', 'castellan_server', 'LOG:  connected') + line('28P01', 'castellan_releaser', 'FATAL:  password authentication failed'))
  appendFileSync(file, line('22012', 'castellan_server', 'ERROR:  division by zero') + line('CA001', 'castellan_gate_cloud'))
  assert.deepEqual(await noted(), ['database.refused castellan_worker_open 42501', 'signin.failed database 28P01', 'database.refused castellan_gate_cloud CA001'])
})

test('neither a strange name nor a message of several lines can make one up', async (t) => {
  const { file, noted } = watched(t)
  appendFileSync(file, line('42501', 'made_up') + line('28000', '42501 castellan_server', 'FATAL:  no such role'))
  appendFileSync(file, line('P0001', 'castellan_server', `ERROR:  words\n\t${line('42501', 'castellan_releaser').trimEnd()}`))
  assert.deepEqual(await noted(), [])
})

test('a line that is not whole yet waits for its end, a file that was begun anew or cut is read from its beginning', async (t) => {
  const { file, noted } = watched(t)
  const whole = line('42501', 'castellan_worker_open')
  appendFileSync(file, whole.slice(0, 40))
  assert.deepEqual(await noted(), [])
  appendFileSync(file, whole.slice(40))
  assert.equal((await noted()).length, 1)
  renameSync(file, `${file}.1`)
  assert.deepEqual(await noted(), [])
  writeFileSync(file, whole)
  assert.equal((await noted()).length, 1)
  appendFileSync(file, whole)
  assert.equal((await noted()).length, 1)
  truncateSync(file, 0)
  assert.deepEqual(await noted(), [])
  appendFileSync(file, whole)
  assert.equal((await noted()).length, 1)
})

test('a flood is read in pieces, and each line of it once', async (t) => {
  const { file, look, noted } = watched(t)
  const count = 100_000
  appendFileSync(file, line('42501', 'castellan_worker_open').repeat(count))
  assert.ok(readFileSync(file).length > 8 * 2 ** 20)
  assert.equal(await look(), 0, 'there is more')
  assert.equal((await noted()).length, count)
})

test('a statement of a process that reports nothing of itself is found in the log of the real server, without a word of it', async (t) => {
  const db = await testDatabase(t)
  const log = join(dirname(db.connection('castellan_owner').host), 'database', 'postgres.log')
  const { size: before } = statSync(log)
  const { file, noted } = watched(t)
  const ask = async (connection: pg.ClientConfig, ...statements: string[]) => {
    const client = new pg.Client(connection)
    await client.connect()
    const { rows: [mine] } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
    for (const statement of statements) await client.query(statement).catch(() => {})
    await client.end()
    return mine!.pid
  }
  const listener = db.connection('castellan_listener')
  const pid = await ask(listener, `select * from castellan.draft where document like 'private word'`, 'delete from castellan.audit_event', `select 'fine'`)
  await assert.rejects(ask({ ...listener, password: 'guessed' }), { code: '28P01' })
  // the server is that of all test files, and others are refused something as well; it has written before it answers
  const ours = readFileSync(log).subarray(before).toString().split('\n').filter((one) => one.includes(`[${pid}]`) || one.includes(' 28P01 '))
  appendFileSync(file, `${ours.join('\n')}\n`)
  const told = await noted()
  assert.deepEqual(told.filter((one) => !one.startsWith('signin')), ['database.refused castellan_listener 42501', 'database.refused castellan_listener 42501'])
  assert.ok(told.includes('signin.failed database 28P01'))
  assert.doesNotMatch(ours.join() + told.join(), /private word/)
})
