import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testDatabase } from '../../test/support/database.ts'
import { jobDefinition } from '../../test/support/jobs.ts'
import { createManualClock } from '../kernel/clock.ts'
import type { House } from '../house/index.ts'
import { declareHouse, lastGoodHouse, recordProblems } from './declare-house.ts'

const eight = new Date('2026-11-20T08:00:00Z')
const lanes = [
  { name: 'private', worker: 'private', cloudClearance: -1, providers: [] },
  { name: 'open', worker: 'open', cloudClearance: 1, providers: ['cloud'] },
] as const

function house(digest: string, changes: Partial<House> = {}): House {
  return { folder: '/house', digest, lanes, jobs: [], prompts: {}, agents: [], labelRules: [], ...changes } as unknown as House
}

test('a house that is declared again keeps its jobs, and those that are gone are no longer due', async (t) => {
  const { owner: database } = await testDatabase(t)
  const clock = createManualClock(eight)
  const jobs = [jobDefinition({ name: 'stays' }), jobDefinition({ name: 'goes' })]
  await declareHouse({ database, clock }, house('one'), jobs)
  clock.advance(60_000)
  await declareHouse({ database, clock }, house('two'), jobs.slice(0, 1))
  const { rows } = await database.pool.query('select name, declared, declared_at from job order by name')
  assert.deepEqual(rows, [
    { name: 'goes', declared: false, declared_at: eight },
    { name: 'stays', declared: true, declared_at: eight },
  ])
  assert.equal((await lastGoodHouse(database))!.digest, 'two')
})

test('a lane that is no longer declared shows nothing to a cloud model any more', async (t) => {
  const { owner: database } = await testDatabase(t)
  const clock = createManualClock(eight)
  await declareHouse({ database, clock }, house('one'), [])
  await declareHouse({ database, clock }, house('two', { lanes: lanes.slice(0, 1) }), [])
  const { rows } = await database.pool.query(`select worker, cloud_clearance from lane where name = 'open'`)
  assert.deepEqual(rows, [{ worker: 'private', cloud_clearance: -1 }])
})

test('a house that ran before P2 took a signature goes on with P1', async (t) => {
  const { owner: database } = await testDatabase(t)
  const clock = createManualClock(eight)
  await declareHouse({ database, clock }, house('one'), [])
  await database.pool.query(`update house set settings = jsonb_set(settings, '{lanes,1,cloudClearance}', '2')`)
  const last = (await lastGoodHouse(database))!
  await declareHouse({ database, clock }, last, [])
  assert.deepEqual((await database.pool.query(`select cloud_clearance from lane where name = 'open'`)).rows, [{ cloud_clearance: 1 }])
})

test('slots of a schedule that was changed while nobody ran are recorded as missed, and the new one counts from now', async (t) => {
  const { owner: database } = await testDatabase(t)
  const clock = createManualClock(eight)
  const hourly = [{ cron: '0 * * * *', timezone: 'UTC' }]
  await declareHouse({ database, clock }, house('one'), [jobDefinition({ name: 'job', schedules: hourly })])
  clock.set(new Date('2026-11-20T10:30:00Z'))
  await declareHouse({ database, clock }, house('two'), [jobDefinition({ name: 'job', schedules: [{ cron: '* * * * *', timezone: 'UTC' }] })])
  const { rows } = await database.pool.query(`select to_char(slot, 'HH24:MI') as slot, state, reason from occurrence order by 1`)
  assert.deepEqual(rows.map(({ slot, state }) => [slot, state]), [['09:00', 'missed'], ['10:00', 'missed']])
  assert.match(rows[0].reason, /schedule was changed/)
  const { rows: jobs } = await database.pool.query('select declared_at from job')
  assert.deepEqual(jobs[0].declared_at, clock.now())
})

test('a job that says since when it counts has slots from then on', async (t) => {
  const { owner: database } = await testDatabase(t)
  await declareHouse({ database, clock: createManualClock(eight) }, house('one'), [jobDefinition({ name: 'job', since: '2026-11-01T00:00:00Z' })])
  const { rows } = await database.pool.query('select declared_at from job')
  assert.deepEqual(rows[0].declared_at, new Date('2026-11-01T00:00:00Z'))
})

test('problems stand beside the house that goes on', async (t) => {
  const { owner: database } = await testDatabase(t)
  await declareHouse({ database, clock: createManualClock(eight) }, house('one'), [])
  await recordProblems(database, [{ file: 'castellan.yaml', line: 1, column: 1, severity: 'error', what: 'x', instead: 'y' }])
  const { rows } = await database.pool.query('select problems from house where current')
  assert.equal(rows[0].problems[0].what, 'x')
})
