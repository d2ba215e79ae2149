import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { testDatabase } from '../../../test/support/database.ts'
import { declareJobs, jobDefinition } from '../../../test/support/jobs.ts'

interface Taken { readonly run: string; readonly fence: string; readonly next: { readonly crashes: number } }

/** One run that is queued, and what can become of it and of its queue jobs. */
async function house(t: TestContext) {
  const db = await testDatabase(t)
  await declareJobs(db.owner, [jobDefinition({ name: 'job' })])
  const run = randomUUID()
  await db.as('castellan_server').pool.query(`select run_open($1, $2, 'job', now(), 'manual', null, '{}')`, [run, randomUUID()])
  const take = async (limit: number, executor = 'one') =>
    (await db.as('castellan_worker_private').pool.query<{ taken: Taken[] }>(`select runs_take('runs_private', $1, $2, 1000) as taken`, [limit, executor])).rows[0]!.taken
  const touch = async ({ run, fence }: Taken) => (await db.as('castellan_worker_private').pool.query('select runs_touch($1, $2)', [[run], [fence]])).rowCount
  const push = () => db.owner.pool.query(`select queue_push('runs_private', $1)`, [[run]])
  const stopHeart = () => db.owner.pool.query(`update pgboss.job set state = 'retry', start_after = now() where state = 'active'`)
  const jobs = async () => (await db.owner.pool.query<{ state: string }>('select state from pgboss.job order by created_on')).rows.map(({ state }) => state)
  return { db, take, touch, push, stopHeart, jobs }
}

for (const [name, limit] of [['one by one', 1], ['in one batch', 10]] as const) {
  test(`a run with two queue jobs is handed to one executor, ${name}`, async (t) => {
    const { take, touch, push, jobs } = await house(t)
    await push()
    const taken = [...(await take(limit, 'one')), ...(await take(limit, 'two'))]
    assert.equal(taken.length, 1)
    assert.equal(await touch(taken[0]!), 0, 'it holds the run')
    assert.deepEqual(await jobs(), ['active'], 'the other queue job is gone, and takes the run from nobody later')
  })
}

test('of two queue jobs in one batch the one that the run was held by takes it over', async (t) => {
  const { take, push, stopHeart } = await house(t)
  const [first] = await take(1)
  await push()
  await stopHeart()
  const taken = await take(10, 'two')
  assert.deepEqual(taken.map(({ run, next }) => [run, next.crashes]), [[first!.run, 1]])
})

for (const [name, others] of [['by itself', 0], ['in a batch', 1]] as const) {
  test(`a run whose executor died ten times in one step gives up, ${name}`, async (t) => {
    const { db, take, push, stopHeart, jobs } = await house(t)
    const [first] = await take(1)
    await db.owner.pool.query('update step set crashes = 9')
    await stopHeart()
    for (let more = 0; more < others; more += 1) await push()
    assert.deepEqual(await take(10), [])
    assert.deepEqual((await db.owner.pool.query('select state from run where id = $1', [first!.run])).rows, [{ state: 'dead' }])
    assert.deepEqual(await jobs(), [])
  })
}

test('a run whose queue job was lost is taken by another one', async (t) => {
  const { db, take, touch, push } = await house(t)
  const [first] = await take(1)
  await db.owner.pool.query('delete from pgboss.job')
  await push()
  const [second] = await take(1, 'two')
  assert.deepEqual([second?.run, await touch(first!)], [first!.run, 1])
})

test('a run that waits for long gets no second queue job, and one that was lost comes back', async (t) => {
  const { db, jobs } = await house(t)
  const sweep = async () => (await db.as('castellan_server').pool.query<{ queue: string }>(`select runs_overdue('0 seconds') as queue`)).rows.map(({ queue }) => queue)
  assert.deepEqual([await sweep(), await jobs()], [['runs_private'], ['created']])
  await db.owner.pool.query('delete from pgboss.job')
  assert.deepEqual([await sweep(), await jobs()], [['runs_private'], ['created']])
})
