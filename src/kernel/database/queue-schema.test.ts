import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { testDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { newId } from '../ids.ts'
import { installQueues, queues, superviseQueues } from './queue-schema.ts'
import { roles } from './roles.ts'

const refused = { code: '42501' }

const push = (db: TestDatabase, queue: string, run = newId()) => db.owner.pool.query('select queue_push($1, $2)', [queue, [run]]).then(() => run)
const pull = async (db: TestDatabase, queue: string, limit = 10) => (await db.owner.pool.query<{ job: string; run: string }>('select p.job, p.run from queue_pull($1, $2) as q, unnest(q.jobs, q.runs) as p(job, run)', [queue, limit])).rows

describe('queues', () => {
  test('no role but the owner touches them, neither their tables nor the functions over them', async (t) => {
    const db = await testDatabase(t)
    const job = newId()
    for (const role of roles) {
      const { pool } = db.as(role)
      await assert.rejects(pool.query('select * from pgboss.job'), refused)
      for (const queue of queues) {
        await assert.rejects(pool.query('select queue_push($1, $2)', [queue, [newId()]]), refused, `${role} pushes`)
        await assert.rejects(pool.query('select * from queue_pull($1, 1)', [queue]), refused, `${role} pulls`)
        await assert.rejects(pool.query('select queue_done($1, $2)', [queue, [job]]), refused, `${role} ends`)
        await assert.rejects(pool.query('select queue_touch($1, $2)', [queue, [job]]), refused, `${role} touches`)
        await assert.rejects(pool.query('select queue_holds($1, $2)', [queue, job]), refused, `${role} looks`)
        await assert.rejects(pool.query('select queue_lacks($1, $2)', [queue, [job]]), refused, `${role} looks`)
      }
    }
  })

  test('the open worker takes runs from the open queue alone', async (t) => {
    const db = await testDatabase(t)
    const take = (queue: string) => db.as('castellan_worker_open').pool.query('select runs_take($1, 1, $2, 1000)', [queue, 'x'])
    await take('runs_open')
    await assert.rejects(take('runs_private'), refused)
  })

  test('what is pushed is pulled once, and is gone when it is done', async (t) => {
    const db = await testDatabase(t)
    const runs = [await push(db, 'runs_open'), await push(db, 'runs_open')]
    await push(db, 'runs_private')
    const pulled = await pull(db, 'runs_open')
    assert.deepEqual(pulled.map(({ run }) => run).sort(), runs.sort())
    assert.deepEqual(await pull(db, 'runs_open'), [])
    await db.owner.pool.query('select queue_done($1, $2)', ['runs_open', pulled.map(({ job }) => job)])
    const { rows } = await db.owner.pool.query<{ name: string }>('select name from pgboss.job')
    assert.deepEqual(rows, [{ name: 'runs_private' }])
  })

  test('what is pushed for later is not pulled before', async (t) => {
    const db = await testDatabase(t)
    await db.owner.pool.query('select queue_push($1, $2, 60)', ['runs_open', [newId()]])
    assert.deepEqual(await pull(db, 'runs_open'), [])
    await db.owner.pool.query(`update pgboss.job set start_after = now() where name = 'runs_open'`)
    assert.equal((await pull(db, 'runs_open')).length, 1)
  })

  test('installing again keeps the jobs and sets the options anew', async (t) => {
    const db = await testDatabase(t)
    const kept = await push(db, 'runs_open')
    await db.owner.pool.query('update pgboss.queue set heartbeat_seconds = 500')
    await installQueues(db.owner)
    const { rows } = await db.owner.pool.query('select name, heartbeat_seconds, partition from pgboss.queue where name = any($1) order by name', [queues])
    assert.deepEqual(rows, queues.map((name) => ({ name, heartbeat_seconds: 15, partition: true })))
    assert.deepEqual((await pull(db, 'runs_open')).map(({ run }) => run), [kept])
  })

  test('what a dead executor held is handed out again, and what is touched is not', async (t) => {
    const db = await testDatabase(t)
    await push(db, 'runs_private')
    await push(db, 'runs_private')
    const [dead, alive] = await pull(db, 'runs_private')
    await db.owner.pool.query(`update pgboss.job set heartbeat_on = heartbeat_on - interval '1 minute'`)
    await db.owner.pool.query('select queue_touch($1, $2)', ['runs_private', [alive!.job]])
    const failures: Error[] = []
    const supervisor = await superviseQueues(db.owner, (error) => failures.push(error))
    await supervisor.look()
    assert.deepEqual((await pull(db, 'runs_private')).map(({ job }) => job), [dead!.job])
    await supervisor.stop()
    assert.deepEqual(failures, [])
  })
})
