import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { testDatabase, type TestDatabase } from '../../test/support/database.ts'
import { declareJobs, jobDefinition } from '../../test/support/jobs.ts'
import { declareWebhooks, webhook } from '../../test/support/webhooks.ts'
import { openEventRuns } from './open-event-runs.ts'

const reader = (name: string, more: object = {}) => jobDefinition({ name, webhook: { name: 'hub', events: [] }, overlap: 'queue', label: { level: 2, integrity: 'untrusted', lanes: ['private'] }, ...more })

async function house(t: TestContext, ...jobs: ReturnType<typeof reader>[]) {
  const database = await testDatabase(t)
  await declareWebhooks(database, [webhook('hub', 'github')])
  await declareJobs(database.owner, jobs)
  const server = database.as('castellan_server')
  return {
    database,
    store: (event: string, type = 'push', at = '2026-11-20T08:00:00Z') => store(database, event, type, at),
    look: () => openEventRuns(server),
    runs: async () => (await database.owner.pool.query<{ job: string; state: string; event: string }>(`select job, state, input -> 'event' ->> 'event_id' as event from run order by job, 3, id`)).rows.map((row) => `${row.job} ${row.event} ${row.state}`),
  }
}

async function store(database: TestDatabase, event: string, type: string, at: string): Promise<void> {
  await database.as('castellan_listener').pool.query(`select inbound_store($1, 'hub', $2, $3, array[sha256(convert_to($2, 'UTF8'))], null, '{"private":"word"}', $4)`, [randomUUID(), event, type, at])
}

test('each event opens one run of each job that wants it, however often and from wherever it is looked for', async (t) => {
  const { store, look, runs } = await house(t, reader('all', { overlap: 'allow' }), reader('pushes', { webhook: { name: 'hub', events: ['push'] }, overlap: 'allow' }), reader('others', { webhook: { name: 'shop', events: [] } }))
  await store('1')
  await store('2', 'issues')
  const counts = await Promise.all([look(), look(), look()])
  assert.equal(counts.reduce((sum, count) => sum + count, 0), 3)
  assert.deepEqual(await runs(), ['all 1 queued', 'all 2 queued', 'pushes 1 queued'])
  assert.deepEqual([await look(), (await runs()).length], [0, 3])
})

test('a run has the label of its event from its beginning, and of its content a reference only', async (t) => {
  const { database, store, look } = await house(t, reader('all', { label: { level: 1, integrity: 'trusted', lanes: ['private'] } }))
  await store('1')
  await look()
  const { rows } = await database.owner.pool.query(`select r.label_level, r.label_integrity, r.label_lanes, r.input::text as input, o.origin, o.idempotency_key as key from run r join occurrence o on o.id = r.occurrence_id`)
  const [{ input, key, ...rest }] = rows
  assert.deepEqual(rest, { label_level: 2, label_integrity: 'untrusted', label_lanes: ['private'], origin: 'webhook' })
  assert.deepEqual(Object.keys(JSON.parse(input).event).sort(), ['event_id', 'id', 'received_at', 'type', 'webhook'])
  assert.equal(JSON.parse(input).event.received_at, '2026-11-20T08:00:00.000Z')
  assert.match(key, /^event [0-9a-f]{64}$/)
})

test('events wait behind each other where the job says so, and none is lost', async (t) => {
  const { database, store, look, runs } = await house(t, reader('all'))
  for (const event of ['1', '2', '3']) await store(event, 'push', `2026-11-20T08:00:0${event}Z`)
  await look()
  assert.deepEqual(await runs(), ['all 1 queued', 'all 2 waiting', 'all 3 waiting'])
  assert.equal((await database.owner.pool.query(`select 1 from occurrence where state <> 'due'`)).rowCount, 0)
})

test('events of a paused job wait until it goes on, and of one that is gone until it is back', async (t) => {
  const { database, store, look, runs } = await house(t, reader('all'))
  await database.owner.pool.query('update job set paused = true')
  await store('1')
  assert.equal(await look(), 0)
  await database.owner.pool.query('update job set paused = false, declared = false')
  assert.equal(await look(), 0)
  await database.owner.pool.query('update job set declared = true')
  assert.equal(await look(), 1)
  assert.deepEqual(await runs(), ['all 1 queued'])
})

test('an event that came before a job wanted it starts nothing', async (t) => {
  const { database, store, look } = await house(t)
  await store('1')
  await declareJobs(database.owner, [reader('late')])
  assert.equal(await look(), 0)
})

test('who is killed before, between or after opening loses no run and opens none twice', { timeout: 60_000 }, async (t) => {
  const { database, store, look, runs } = await house(t, reader('all', { overlap: 'allow' }))
  for (let n = 1; n <= 6; n++) await store(String(n))
  const opener = (points: string) => spawnSync(process.execPath, ['--input-type=module', '-e', `
    const [{ connect }, { armFaultPoints }, { openEventRuns }] = await Promise.all(['kernel/database/connect', 'kernel/fault-point', 'jobs/open-event-runs'].map((file) => import(${JSON.stringify(join(import.meta.dirname, '..'))} + '/' + file + '.ts')))
    const database = connect(${JSON.stringify(database.connection('castellan_server'))}, { application: 'test' })
    armFaultPoints(${JSON.stringify(points)})
    await openEventRuns(database)
    await database.close()`]).signal
  assert.deepEqual([opener('event.open:before=1'), (await runs()).length], ['SIGKILL', 0])
  assert.deepEqual([opener('event.open:after=1'), (await runs()).length], ['SIGKILL', 1])
  assert.deepEqual([opener('event.open:after=1'), (await runs()).length], ['SIGKILL', 2])
  assert.equal(await look(), 4)
  assert.deepEqual(await runs(), [1, 2, 3, 4, 5, 6].map((n) => `all ${n} queued`))
})
