import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { testDatabase } from '../../test/support/database.ts'
import { declareJobs, jobDefinition, stepDefinition } from '../../test/support/jobs.ts'
import { insertDraft, insertOrder } from '../../test/support/order-row.ts'
import type { Role } from '../kernel/database/roles.ts'
import { openAlertRuns } from './open-alert-runs.ts'

const watcher = (name: string, more: object = {}) => jobDefinition({ name, alerts: true, overlap: 'skip', ...more })

const teller = (name: string, more: object = {}) => watcher(name, { steps: [stepDefinition('tell', { uses: 'outbox.tell' })], ...more })

async function house(t: TestContext, ...jobs: ReturnType<typeof watcher>[]) {
  const database = await testDatabase(t)
  await declareJobs(database.owner, jobs)
  const server = database.as('castellan_server')
  const owner = database.owner.pool
  return {
    database, owner,
    report: (kind: string, subject: string, count = 1, as: Role | 'owner' = 'castellan_server') => (as === 'owner' ? database.owner : database.as(as)).pool.query('select alert_report($1, $2, $3, now())', [kind, subject, count]),
    acknowledge: () => server.pool.query('select alert_acknowledge(id) from alert'),
    look: (tell?: string) => openAlertRuns(server, tell),
    end: () => owner.query(`update run set state = 'succeeded', closed_at = now() where closed_at is null`),
    /** The subjects that each run was opened for. */
    runs: async () => (await owner.query<{ said: string }>(
      `select r.job || ': ' || (select string_agg(a.subject, ' ' order by a.subject) from alert a where r.input -> 'alerts' ? a.id::text) as said from run r order by r.job, r.id`)).rows.map(({ said }) => said),
  }
}

test('what opened since the last run opens one for all of it, and is new to each job once, however often and from wherever it is looked for', async (t) => {
  const { report, look, end, runs } = await house(t, watcher('tell'), watcher('write'), jobDefinition({ name: 'other' }))
  assert.equal(await look(), 0)
  await report('page.stranger', 'dashboard')
  await report('page.stranger', 'gate')
  const counts = await Promise.all([look(), look(), look()])
  assert.equal(counts.reduce((sum, count) => sum + count, 0), 2)
  await end()
  assert.equal(await look(), 0)
  await report('page.stranger', 'dashboard', 5)
  assert.equal(await look(), 0, 'counted is not news')
  assert.deepEqual(await runs(), ['tell: dashboard gate', 'write: dashboard gate'])
})

test('a run has the ids of its alerts as its input, and the origin says what started it', async (t) => {
  const { report, look, owner } = await house(t, watcher('tell'))
  await report('page.stranger', 'dashboard')
  await look()
  const { rows } = await owner.query(`select r.input, o.origin, r.state, r.label_level, r.label_integrity from run r join occurrence o on o.id = r.occurrence_id`)
  const { rows: [alert] } = await owner.query('select id from alert')
  assert.deepEqual(rows, [{ input: { alerts: [alert.id] }, origin: 'alert', state: 'queued', label_level: 1, label_integrity: 'trusted' }])
})

test('what became critical is news once more, and so is what was over and came back', async (t) => {
  const { report, look, end, runs, owner, acknowledge } = await house(t, watcher('tell'))
  const turn = async () => {
    const opened = await look()
    await end()
    return opened
  }
  await report('webhook.forged', 'hub', 6)
  assert.deepEqual([await turn(), await turn()], [1, 0])
  await acknowledge()
  assert.equal(await turn(), 0)
  await report('webhook.forged', 'hub', 200)
  assert.deepEqual([await turn(), await turn()], [1, 0], 'worse than what was acknowledged')
  await owner.query(`update alert set state = 'closed', closed_at = now()`)
  assert.equal(await turn(), 0)
  await report('webhook.forged', 'hub', 6)
  assert.deepEqual([await turn(), await turn()], [1, 0])
  assert.equal((await runs()).length, 3)
})

test('what the operator knows already, or what only informs, starts nothing; what was over before anybody looked does', async (t) => {
  const { report, look, owner, acknowledge, runs } = await house(t, watcher('tell'))
  await report('isolation.demonstration', 'processes', 1, 'owner')
  await report('page.stranger', 'known')
  await acknowledge()
  assert.equal(await look(), 0)
  await owner.query(`update alert set state = 'closed', closed_at = now() where subject = 'known'`)
  assert.equal(await look(), 0)
  await report('page.stranger', 'long ago')
  await owner.query(`update alert set state = 'closed', closed_at = (select declared_at from job) where subject = 'long ago'`)
  assert.equal(await look(), 0)
  await report('page.stranger', 'short')
  await owner.query(`update alert set state = 'closed', closed_at = now() where subject = 'short'`)
  assert.equal(await look(), 1)
  assert.deepEqual(await runs(), ['tell: short'])
})

test('while a run is not over, or the job is paused or gone, what is new waits', async (t) => {
  const { report, look, end, runs, owner } = await house(t, watcher('tell', { overlap: 'queue' }))
  await report('page.stranger', 'one')
  assert.equal(await look(), 1)
  await report('page.stranger', 'two')
  await report('page.stranger', 'three')
  assert.equal(await look(), 0)
  await end()
  for (const off of ['paused = true', 'paused = false, declared = false']) {
    await owner.query(`update job set ${off}`)
    assert.equal(await look(), 0)
  }
  await owner.query('update job set declared = true')
  assert.equal(await look(), 1)
  assert.deepEqual(await runs(), ['tell: one', 'tell: three two'])
})

test('what would reach nobody stays untold, however long, and is told once as soon as there is a way', async (t) => {
  const { database, report, look, end, runs, owner } = await house(t, teller('tell'), watcher('write'))
  await report('page.stranger', 'open')
  await report('page.stranger', 'over')
  await owner.query(`update job set declared_at = now() - interval '9 days'`)
  await owner.query(`update alert set state = 'closed', closed_at = now() - interval '5 days' where subject = 'over'`)
  assert.equal(await look(), 1, 'what tells nobody by itself is started all the same')
  await end()
  assert.equal(await look('me'), 0, 'without an order it would wait for a signature')
  await insertOrder(database.owner, { connector: 'other' })
  await insertOrder(database.owner, { connector: 'me', level: 0 })
  await insertOrder(database.owner, { connector: 'me', perDay: 1, used: 1 })
  const over = await insertOrder(database.owner, { connector: 'me', expiresAt: new Date() })
  assert.equal(await look('me'), 0)
  assert.deepEqual(await runs(), ['write: open over'])
  await owner.query('update standing_order set expires_at = null where id = $1', [over])
  assert.equal(await look(), 0)
  assert.deepEqual([await look('me'), await end().then(() => look('me'))], [1, 0])
  assert.deepEqual(await runs(), ['tell: open over', 'write: open over'])
})

test('a message that nobody signed before it was over told nobody, and is told again; one that left, or was denied, is not', async (t) => {
  const { database, report, look, end, owner } = await house(t, teller('tell'))
  await insertOrder(database.owner, { connector: 'me' })
  await report('page.stranger', 'gate')
  for (const [state, again] of [['expired', 1], ['waiting', 0], ['denied', 0], ['released', 0], ['unknown', 0]] as const) {
    await owner.query(`update alert set started = '{}'`)
    assert.equal(await look('me'), 1, state)
    const { rows: [run] } = await owner.query<{ id: string }>('select id from run where closed_at is null')
    await insertDraft(database.owner, { connector: 'me', state, run: run!.id })
    assert.equal(await look('me'), 0)
    await end()
    assert.equal(await look('me'), again, state)
    await end()
  }
})

test('who is killed before or after opening loses no alert and opens nothing twice', { timeout: 60_000 }, async (t) => {
  const { database, report, look, end, runs } = await house(t, watcher('tell'))
  const opener = (points: string) => spawnSync(process.execPath, ['--input-type=module', '-e', `
    const [{ connect }, { armFaultPoints }, { openAlertRuns }] = await Promise.all(['kernel/database/connect', 'kernel/fault-point', 'jobs/open-alert-runs'].map((file) => import(${JSON.stringify(join(import.meta.dirname, '..'))} + '/' + file + '.ts')))
    const database = connect(${JSON.stringify(database.connection('castellan_server'))}, { application: 'test' })
    armFaultPoints(${JSON.stringify(points)})
    await openAlertRuns(database, 'me')
    await database.close()`]).signal
  await report('page.stranger', 'one')
  assert.deepEqual([opener('alert.open:before=1'), (await runs()).length], ['SIGKILL', 0])
  assert.deepEqual([opener('alert.open:after=1'), (await runs()).length], ['SIGKILL', 1])
  await end()
  assert.deepEqual([await look(), await runs()], [0, ['tell: one']])
})
