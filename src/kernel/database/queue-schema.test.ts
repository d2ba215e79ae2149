import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { PgBoss } from 'pg-boss'
import { testDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { installQueues, queues, superviseQueues } from './queue-schema.ts'
import { roles, type Role } from './roles.ts'

/** pg-boss as a process of this role runs it. */
async function bossOf(db: TestDatabase, role: Role): Promise<PgBoss> {
  const { pool } = db.as(role)
  const boss = new PgBoss({ db: { executeSql: (text, values) => pool.query(text, values) }, schema: 'pgboss', migrate: false, createSchema: false, supervise: false, schedule: false })
  boss.on('error', () => {})
  return boss.start()
}

const stop = (boss: PgBoss) => boss.stop({ graceful: false, close: false })

const refused = { code: '42501' }

describe('queues', () => {
  test('each role can start pg-boss, and may do with the queues what its work takes, no more', async (t) => {
    const db = await testDatabase(t)
    const may: Record<Role, { insert: boolean; take: readonly (typeof queues)[number][] }> = {
      castellan_server: { insert: true, take: [] },
      castellan_releaser: { insert: true, take: [] },
      castellan_worker_open: { insert: true, take: ['runs_open'] },
      castellan_worker_private: { insert: true, take: ['runs_open', 'runs_private'] },
      castellan_gate_local: { insert: false, take: [] },
      castellan_gate_cloud: { insert: false, take: [] },
    }
    for (const role of roles) {
      const boss = await bossOf(db, role)
      for (const queue of queues) {
        const insert = () => boss.insert(queue, [{ data: { run_id: role } }])
        if (may[role].insert) await insert()
        else await assert.rejects(insert(), refused, `${role} inserts into ${queue}`)
        if (may[role].take.includes(queue)) {
          const jobs = await boss.fetch(queue, { batchSize: 10 })
          assert.ok(jobs.some((job) => (job.data as { run_id: string }).run_id === role))
          await boss.touch(queue, jobs.map((job) => job.id))
          await boss.complete(queue, jobs.map((job) => job.id))
          assert.deepEqual(await boss.fetch(queue), [])
        } else {
          await assert.rejects(boss.fetch(queue), refused, `${role} takes from ${queue}`)
          await assert.rejects(boss.complete(queue, [crypto.randomUUID()]), refused)
        }
        await assert.rejects(boss.deleteAllJobs(queue), refused, `${role} empties ${queue}`)
      }
      await assert.rejects(boss.createQueue(`made by ${role.slice(10)}`.replaceAll(' ', '_')), refused)
      await assert.rejects(boss.updateQueue('runs_open', { retryLimit: 0 }), refused)
      await stop(boss)
    }
  })

  test('nobody but the owner reads the parent of all queues', async (t) => {
    const db = await testDatabase(t)
    for (const role of roles) await assert.rejects(db.as(role).pool.query('select * from pgboss.job'), refused)
  })

  test('installing again keeps the jobs and sets the options anew', async (t) => {
    const db = await testDatabase(t)
    const server = await bossOf(db, 'castellan_server')
    await server.insert('runs_open', [{ data: { run_id: 'kept' } }])
    await stop(server)
    await db.owner.pool.query('update pgboss.queue set heartbeat_seconds = 500')
    await installQueues(db.owner)
    const { rows } = await db.owner.pool.query('select name, heartbeat_seconds, partition from pgboss.queue where name = any($1) order by name', [queues])
    assert.deepEqual(rows, queues.map((name) => ({ name, heartbeat_seconds: 15, partition: true })))
    const worker = await bossOf(db, 'castellan_worker_open')
    assert.deepEqual((await worker.fetch('runs_open')).map((job) => job.data), [{ run_id: 'kept' }])
    await stop(worker)
  })

  test('what a dead executor held is handed out again', async (t) => {
    const db = await testDatabase(t)
    const worker = await bossOf(db, 'castellan_worker_private')
    await worker.insert('runs_private', [{ data: { run_id: 'orphaned' } }])
    const [job] = await worker.fetch('runs_private')
    await db.owner.pool.query(`update pgboss.job set heartbeat_on = heartbeat_on - interval '1 minute' where id = $1`, [job!.id])
    const failures: Error[] = []
    const supervisor = await superviseQueues(db.owner, (error) => failures.push(error))
    await supervisor.look()
    assert.deepEqual((await worker.fetch('runs_private')).map((again) => again.id), [job!.id])
    await supervisor.stop()
    await stop(worker)
    assert.deepEqual(failures, [])
  })
})
