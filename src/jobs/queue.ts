import { PgBoss } from 'pg-boss'
import type { Pool, PoolClient } from 'pg'
import type { QueueName } from '../runs/index.ts'

/** A queue job names a run, and nothing else. */
interface QueueJob {
  readonly id: string
  readonly data: { run_id: string }
}

/** A run to hand out, now or after a while. */
export interface Enqueued {
  readonly run: string
  readonly queue: QueueName
  readonly delaySeconds?: number
}

/** The queues of runs. Every verb that changes something takes part in the caller's transaction. */
export interface Queue {
  enqueue(client: PoolClient, runs: readonly Enqueued[]): Promise<void>
  fetch(client: PoolClient, queue: QueueName, limit: number): Promise<QueueJob[]>
  complete(client: PoolClient, queue: QueueName, jobs: readonly string[]): Promise<void>
  /** Says that the executor of these jobs is alive; a job that is not touched for long is handed to another. */
  touch(queue: QueueName, jobs: readonly string[]): Promise<void>
  close(): Promise<void>
}

type Queryable = Pick<Pool | PoolClient, 'query'>

/** Opens the queues on a pool of any role; what the role may not do there, PostgreSQL refuses. */
export async function createQueue(pool: Pool): Promise<Queue> {
  const boss = new PgBoss({ db: adapter(pool), schema: 'pgboss', migrate: false, createSchema: false, supervise: false, schedule: false })
  boss.on('error', () => {}) // every call reports its own failure; this channel only repeats it
  await boss.start()
  return {
    enqueue: async (client, runs) => {
      for (const [queue, items] of Map.groupBy(runs, (item) => item.queue)) {
        const jobs = items.map(({ run, delaySeconds }) => ({ data: { run_id: run }, ...(delaySeconds && { startAfter: delaySeconds }) }))
        await boss.insert(queue, jobs, { db: adapter(client) })
      }
    },
    fetch: (client, queue, limit) => boss.fetch(queue, { batchSize: limit, db: adapter(client) }) as Promise<QueueJob[]>,
    complete: async (client, queue, jobs) => {
      if (jobs.length > 0) await boss.complete(queue, [...jobs], null, { db: adapter(client) })
    },
    touch: async (queue, jobs) => {
      if (jobs.length > 0) await boss.touch(queue, [...jobs])
    },
    close: () => boss.stop({ graceful: false, close: false }),
  }
}

const statementNames = new Map<string, string>()

/** pg-boss's view of a connection. Statements are prepared once under a name, because they are few and come often. */
function adapter(query: Queryable): { executeSql(text: string, values?: unknown[]): Promise<{ rows: unknown[] }> } {
  return {
    executeSql: (text, values) => {
      if (values === undefined || values.length === 0) return query.query(text)
      let name = statementNames.get(text)
      if (name === undefined) statementNames.set(text, (name = `queue_${statementNames.size}`))
      return query.query({ name, text, values })
    },
  }
}
