import { PgBoss } from 'pg-boss'
import type { Database } from './connect.ts'
import { queueFunctionsSql, statementsOf } from './queue-statements.ts'
import { roles } from './roles.ts'

export const queues = ['runs_open', 'runs_private'] as const

const schema = 'pgboss'

/** A queue job only names a run, and the run has its own retries, so the queue hands a job out again for as long as it takes. */
const queueOptions = {
  retryLimit: 1_000_000,
  retryDelay: 0,
  // an executor that does not touch its job for so long is taken for dead; the fence protects a run from one that is not
  heartbeatSeconds: 15,
  // the longest that pg-boss allows; a step's timeout is its own
  expireInSeconds: 24 * 60 * 60,
  // runs may wait for a worker that is switched off; who still waits after that is found by the scheduler's sweep
  retentionSeconds: 30 * 24 * 60 * 60,
}

/**
 * Installs pg-boss's schema and our queues, each a table of its own, and makes functions of what it says for the ledger.
 * As the owner; again on every start, because another version of pg-boss may say them differently.
 */
export async function installQueues(owner: Database): Promise<void> {
  const { rows } = await owner.pool.query<{ installed: boolean }>(`select to_regclass('${schema}.version') is not null as installed`)
  const boss = createBoss(owner, { migrate: true, createSchema: !rows[0]!.installed })
  await boss.start()
  try {
    const existing = new Set((await boss.getQueues([...queues])).map((queue) => queue.name))
    for (const name of queues) {
      if (existing.has(name)) await boss.updateQueue(name, queueOptions)
      else await boss.createQueue(name, { ...queueOptions, partition: true })
    }
    const silent = createBoss(owner, { migrate: false, createSchema: false })
    await silent.start()
    try {
      const statements = new Map(await Promise.all(queues.map(async (name) => [name, await statementsOf(silent, owner, name)] as const)))
      await owner.transaction((client) => client.query(`${lockRoles}\n${queueFunctionsSql(statements)}`))
    } finally {
      await silent.stop({ graceful: false, close: false })
    }
  } finally {
    await boss.stop({ graceful: false, close: false })
  }
}

export interface QueueSupervisor {
  /** One round at once, besides those that come by themselves. */
  look(): Promise<void>
  stop(): Promise<void>
}

/** Hands out again what dead executors held, and clears away what is finished. As the owner: no worker may touch another's jobs. */
export async function superviseQueues(owner: Database, onError: (error: Error) => void): Promise<QueueSupervisor> {
  const boss = createBoss(owner, { migrate: false, createSchema: false, supervise: true, superviseIntervalSeconds: 5, monitorIntervalSeconds: 5 })
  boss.on('error', onError)
  await boss.start()
  return { look: () => boss.supervise(), stop: () => boss.stop({ graceful: false, close: false }) }
}

function createBoss(owner: Database, options: { migrate: boolean; createSchema: boolean; supervise?: boolean; superviseIntervalSeconds?: number; monitorIntervalSeconds?: number }): PgBoss {
  const db = { executeSql: (text: string, values?: unknown[]) => owner.pool.query(text, values) }
  const boss = new PgBoss({ db, schema, supervise: false, schedule: false, ...options })
  boss.on('error', () => {})
  return boss
}

/** Every role gets at the queue through the functions of the ledger alone; in pg-boss's own tables none of them has a right. */
const lockRoles = `
  revoke all on all tables in schema ${schema} from public, ${roles.join(', ')};
  revoke all on schema ${schema} from public, ${roles.join(', ')};
  revoke execute on all functions in schema ${schema} from public, ${roles.join(', ')};`
