import { randomUUID } from 'node:crypto'
import { PgBoss } from 'pg-boss'
import type { Database } from './connect.ts'
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
  // what happened is in the run; the finished queue job says nothing more
  deleteAfterSeconds: 60 * 60,
}

/**
 * Installs pg-boss's schema and our queues, each a table of its own, and makes functions of its statements for the ledger.
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
    const functions: string[] = []
    for (const name of queues) functions.push(queueFunctionsSql(name, await statementsOf(owner, name)))
    await owner.transaction((client) => client.query([lockRoles, ...functions, dispatchSql].join('\n')))
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

interface QueueStatements {
  /** $1: jobs as JSON text. */
  readonly insert: string
  /** The number of jobs stands in it as `pullLimit`. */
  readonly fetch: string
  /** $1: queue, $2: jobs, $3: output as JSON. */
  readonly complete: string
  /** $1: queue, $2: jobs. */
  readonly touch: string
}

/** A number that stands nowhere else in a statement. */
const pullLimit = 987_654_321

/** pg-boss's own statements for one queue, as it would send them: its calls are made against a connection that only listens. */
async function statementsOf(owner: Database, queue: string): Promise<QueueStatements> {
  const heard: string[] = []
  const anyJob = [randomUUID()] // only the statement counts, its values go nowhere
  const listener = { executeSql: async (text: string) => ({ rows: heard.push(text) > 2 ? [{ count: 0, ids: [] }] : [] }) }
  const boss = createBoss(owner, { migrate: false, createSchema: false })
  await boss.start()
  try {
    await boss.insert(queue, [{ data: {} }], { db: listener })
    await boss.fetch(queue, { batchSize: pullLimit, db: listener })
    await boss.complete(queue, anyJob, null, { db: listener })
    await boss.touch(queue, anyJob, { db: listener })
  } finally {
    await boss.stop({ graceful: false, close: false })
  }
  const [insert, fetch, complete, touch] = heard
  if (heard.length !== 4 || !fetch!.includes(String(pullLimit))) throw new Error(`pg-boss speaks differently than expected: ${heard.length} statements`)
  return { insert: insert!, fetch: fetch!, complete: complete!, touch: touch! }
}

/**
 * The statements of one queue as SQL functions, so that the ledger's functions can call them in their own transaction.
 */
function queueFunctionsSql(queue: string, { insert, fetch, complete, touch }: QueueStatements): string {
  const make = (name: string, parameters: string, returns: string, plan: string, body: string) => `
    create or replace function castellan.${name}_${queue}(${parameters}) returns ${returns} language sql ${plan} as $statement$ ${body} $statement$;
    revoke execute on function castellan.${name}_${queue} from public;`
  return [
    make('push', 'text', 'void', '', insert),
    make('pull', 'integer', 'table (job uuid, run uuid)', indexPlan, `with pulled as (${takingStatement(fetch)}) select id, (data ->> 'run_id')::uuid from pulled`),
    make('done', 'text, uuid[], jsonb', 'void', indexPlan, complete),
    make('touch', 'text, uuid[]', 'void', indexPlan, touch),
  ].join('\n')
}

/**
 * Plans of functions are kept for the session, and the first is made when the queue is empty. They are told to go by the
 * index; and the statement that takes jobs looks them up by their ids instead of joining, because a join that was planned
 * for an empty table reads the whole queue from then on (measured after 4,000 jobs: 1.3 ms against 0.06 ms a call).
 */
const indexPlan = 'set enable_seqscan = off'

/** The statement that takes jobs, with their number as $1 and without the join. */
function takingStatement(fetch: string): string {
  const joined = /FROM next\s+WHERE (name = '\w+') AND j\.id = next\.id/
  if (!joined.test(fetch)) throw new Error('pg-boss takes jobs in another way than expected')
  return fetch.replace(String(pullLimit), '$1').replace(joined, 'WHERE $1 AND j.id = any (array (select id from next))')
}

const eachQueue = (call: (queue: string) => string) => queues.map((queue) => `when '${queue}' then ${call(queue)};`).join(' ')

/** What the ledger's functions call: the queue by its name. */
const dispatchSql = `
  create or replace function castellan.queue_push(p_queue text, p_runs uuid[], p_delay integer default 0) returns void language plpgsql as $f$
  declare jobs text := (select json_agg(json_build_object('data', json_build_object('run_id', run), 'startAfter', p_delay)) from unnest(p_runs) as r(run));
  begin
    case p_queue ${eachQueue((queue) => `perform castellan.push_${queue}(jobs)`)} end case;
  end $f$;
  create or replace function castellan.queue_pull(p_queue text, p_limit integer) returns table (job uuid, run uuid) language plpgsql as $f$
  begin
    case p_queue ${eachQueue((queue) => `return query select * from castellan.pull_${queue}(p_limit)`)} end case;
  end $f$;
  create or replace function castellan.queue_done(p_queue text, p_jobs uuid[]) returns void language plpgsql as $f$
  begin
    case p_queue ${eachQueue((queue) => `perform castellan.done_${queue}(p_queue, p_jobs, null)`)} end case;
  end $f$;
  create or replace function castellan.queue_touch(p_queue text, p_jobs uuid[]) returns void language plpgsql as $f$
  begin
    case p_queue ${eachQueue((queue) => `perform castellan.touch_${queue}(p_queue, p_jobs)`)} end case;
  end $f$;
  revoke execute on function castellan.queue_push, castellan.queue_pull, castellan.queue_done, castellan.queue_touch from public;`
