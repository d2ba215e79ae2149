import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { pino } from 'pino'
import { declareJobs, jobDefinition } from '../../test/support/jobs.ts'
import { testDatabase } from '../../test/support/database.ts'
import { createManualClock } from '../kernel/clock.ts'
import type { JobDefinition } from '../house/index.ts'
import { createScheduler } from './scheduler.ts'

const log = pino({ level: 'silent' })
const eight = new Date('2026-11-20T08:00:00Z')
const minute = 60_000
const hour = 60 * minute

async function setUp(t: TestContext, changes: Partial<JobDefinition> = {}) {
  const database = await testDatabase(t)
  const hourly = jobDefinition({ name: 'hourly', schedules: [{ cron: '0 * * * *', timezone: 'UTC' }], ...changes })
  await declareJobs(database.owner, [hourly], eight)
  const server = database.as('castellan_server')
  const clock = createManualClock(eight)
  const scheduler = () => createScheduler({ database: server, clock, log })
  const occurrences = async () => {
    const { rows } = await database.owner.pool.query<{ slot: string; state: string; reason: string | null }>(
      `select to_char(slot, 'DD HH24:MI') as slot, state, reason from occurrence order by occurrence.slot`,
    )
    return rows
  }
  return { database, clock, scheduler, occurrences, states: async () => (await occurrences()).map(({ slot, state }) => `${slot} ${state}`) }
}

test('a slot is recorded and its run opened when it is due, and not before', async (t) => {
  const { clock, scheduler, states } = await setUp(t)
  const one = scheduler()
  await one.tick()
  assert.deepEqual(await states(), [])
  clock.advance(hour)
  await one.tick()
  await one.tick()
  assert.deepEqual(await states(), ['20 09:00 due'])
})

test('two schedulers on one database fire each slot once', async (t) => {
  const { database, clock, scheduler, states } = await setUp(t)
  const both = [scheduler(), scheduler()]
  await Promise.all(both.map((one) => one.tick()))
  for (let passed = 0; passed < 10; passed++) {
    clock.advance(hour)
    await Promise.all(both.map((one) => one.tick()))
  }
  assert.equal((await states()).length, 10)
  const { rows } = await database.owner.pool.query<{ runs: number; jobs: number }>(
    `select (select count(*)::int from run) as runs, (select count(*)::int from pgboss.job where name like 'runs_%') as jobs`,
  )
  assert.deepEqual(rows[0], { runs: 10, jobs: 10 })
})

for (const [missed, expected] of [
  ['skip', ['20 09:00 missed', '20 10:00 missed', '20 11:00 missed']],
  ['latest', ['20 09:00 missed', '20 10:00 missed', '20 11:00 due']],
  ['all', ['20 09:00 due', '20 10:00 due', '20 11:00 due']],
] as const) {
  test(`after hours without Castellan the policy "${missed}" closes or runs every slot`, async (t) => {
    const { clock, scheduler, states, occurrences } = await setUp(t, { missed })
    clock.set(new Date('2026-11-20T11:30:00Z'))
    await scheduler().tick()
    assert.deepEqual(await states(), expected)
    for (const { state, reason } of await occurrences()) {
      if (state === 'missed') assert.match(reason!, /was not running at that time; it started at 2026-11-20T11:30/)
    }
  })
}

test('a clock that jumps ahead while Castellan runs is told apart from a stop', async (t) => {
  const { clock, scheduler, occurrences } = await setUp(t)
  const one = scheduler()
  await one.tick()
  clock.advance(5 * hour + 30 * minute)
  await one.tick()
  const reasons = new Set((await occurrences()).map(({ reason }) => reason))
  assert.equal(reasons.size, 1)
  assert.match([...reasons][0]!, /the clock jumped or the machine slept/)
})

test('a clock that jumps back fires nothing twice', async (t) => {
  const { clock, scheduler, states } = await setUp(t)
  const one = scheduler()
  await one.tick()
  clock.advance(hour)
  await one.tick()
  clock.set(new Date('2026-11-20T08:59:30Z'))
  await one.tick()
  clock.advance(minute)
  await one.tick()
  await scheduler().tick()
  assert.deepEqual(await states(), ['20 09:00 due'])
})

test('slots of a paused job are closed as skipped, and it goes on when it is resumed', async (t) => {
  const { database, clock, scheduler, states } = await setUp(t)
  const one = scheduler()
  const pause = (paused: boolean) => database.as('castellan_server').pool.query('select job_pause($1, $2)', ['hourly', paused])
  await pause(true)
  await one.refresh()
  clock.advance(hour)
  await one.tick()
  await pause(false)
  await one.refresh()
  clock.advance(hour)
  await one.tick()
  assert.deepEqual(await states(), ['20 09:00 skipped', '20 10:00 due'])
})

test('a slot whose run before it is not finished follows the overlap policy', async (t) => {
  const { clock, scheduler, states, database } = await setUp(t, { overlap: 'skip' })
  const one = scheduler()
  for (let passed = 0; passed < 2; passed++) {
    clock.advance(hour)
    await one.tick()
  }
  assert.deepEqual(await states(), ['20 09:00 due', '20 10:00 skipped'])
  await database.owner.pool.query(`update job set overlap = 'replace'`)
  clock.advance(hour)
  await one.tick()
  assert.deepEqual(await states(), ['20 09:00 failed', '20 10:00 skipped', '20 11:00 due'])
})

test('slots that share an idempotency key run once, and the others say why not', async (t) => {
  const { clock, scheduler, states, occurrences } = await setUp(t, { idempotencyKey: '{{ slot | slice: 0, 10 }}', missed: 'all' })
  clock.set(new Date('2026-11-20T10:30:00Z'))
  await scheduler().tick()
  assert.deepEqual(await states(), ['20 09:00 due', '20 10:00 skipped'])
  assert.match((await occurrences())[1]!.reason!, /same idempotency key as run/)
})

test('a run that began to wait for one that was just ending is let go', async (t) => {
  const { clock, scheduler, database } = await setUp(t, { overlap: 'queue' })
  const one = scheduler()
  for (let passed = 0; passed < 2; passed++) {
    clock.advance(hour)
    await one.tick()
  }
  const states = async () => (await database.owner.pool.query<{ state: string }>('select state from run order by id')).rows.map(({ state }) => state)
  assert.deepEqual(await states(), ['queued', 'waiting'])
  await scheduler().tick()
  assert.deepEqual(await states(), ['queued', 'waiting'], 'one that is not finished is waited for')
  await database.owner.pool.query(`update run set state = 'cancelled', closed_at = now() where state = 'queued'`) // and did not see the other
  await scheduler().tick()
  assert.deepEqual(await states(), ['cancelled', 'queued'])
  const { rows } = await database.owner.pool.query(`select 1 from pgboss.job join run on run.id::text = data ->> 'run_id' where run.state = 'queued'`)
  assert.equal(rows.length, 1)
})
