import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startHttpReceiver } from './support/http-receiver.ts'
import { homeDatabase } from './support/home-database.ts'
import { runningHouse } from './support/running-house.ts'

const job = `summary: Look who may buy
lane: private
steps:
  - id: ask
    uses: source.refresh
    with: { source: leads }
  - id: leads
    uses: source.read
    with: { source: leads, maxAge: 8h }
`

interface Opened {
  readonly run: string
}

test('a job reads what a source says, by a process that it cannot become; without a source there is no such process', async (t) => {
  const server = await startHttpReceiver(t, { answer: () => ({ status: 200, body: '[{"name": "Eva"}]' }) })
  const house = await runningHouse(t, {
    jobs: { 'leads.yaml': job },
    edit: (yaml) => `${yaml}\nisolation: { accept_demonstration: true }\nsources: { leads: { kind: http, url: ${JSON.stringify(`${server.url}/leads`)}, private: true, credential: { secret: crm-read } } }\n`,
    prepare: (home) => {
      mkdirSync(join(home, 'secrets'), { mode: 0o700 })
      writeFileSync(join(home, 'secrets', 'crm-read'), 'the-read-token\n', { mode: 0o600 })
    },
  })
  assert.equal(house.up.processes.get('reader')!.state.state, 'ready')
  const database = await homeDatabase(t, house.home)
  await house.call<Opened>('server', 'POST', '/api/jobs/leads/run', {})
  const one = async <T>(text: string) => (await database.pool.query(text)).rows[0] as T
  const deadline = performance.now() + 30_000
  while ((await one<{ n: number }>(`select count(*)::int as n from run where job = 'leads' and closed_at is not null`)).n === 0) {
    assert.ok(performance.now() < deadline, JSON.stringify(await one('select * from run')))
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const run = await one<{ state: string; error: unknown; label_level: number; label_integrity: string }>(`select state, error, label_level, label_integrity from run where job = 'leads'`)
  assert.deepEqual(run, { state: 'succeeded', error: null, label_level: 2, label_integrity: 'untrusted' })
  const { output } = await one<{ output: { content: unknown; stale: boolean } }>(`select output from step where id = 'leads'`)
  assert.deepEqual([output.content, output.stale], [[{ name: 'Eva' }], false])
  assert.deepEqual(server.received.map(({ method, path, headers }) => [method, path, headers.authorization]), [['GET', '/leads', 'Bearer the-read-token']])
  const { actor } = await one<{ actor: string }>(`select actor from audit_event where kind = 'source.fetched'`)
  assert.equal(actor, 'castellan_reader')

  const bare = await runningHouse(t)
  assert.equal(bare.up.processes.has('reader'), false)
})
