import { randomUUID } from 'node:crypto'
import type { PgBoss } from 'pg-boss'
import type { Database } from './connect.ts'

/** What pg-boss says to one queue, fitted to be said inside the ledger's functions. */
export interface QueueStatements {
  /** Of `p_runs`, to be handed out in `p_delay` seconds. */
  readonly push: string
  /** Up to `p_limit` jobs, into the arrays `jobs` and `runs`. */
  readonly pull: string
  /** Of `p_jobs`. */
  readonly done: string
  readonly touch: string
}

/** A number that stands nowhere else in a statement. */
const pullLimit = 987_654_321

/** Hears what pg-boss would send for one queue: its calls are made against a connection that only listens. */
export async function statementsOf(boss: PgBoss, owner: Database, queue: string): Promise<QueueStatements> {
  const heard: string[] = []
  const anyJob = [randomUUID()] // only the statement counts, its values go nowhere
  const db = { executeSql: async (text: string) => ({ rows: heard.push(text) > 2 ? [{ count: 0, ids: [] }] : [] }) }
  await boss.insert(queue, [{ data: {} }], { db })
  await boss.fetch(queue, { batchSize: pullLimit, db })
  await boss.deleteJob(queue, anyJob, { db })
  await boss.touch(queue, anyJob, { db })
  if (heard.length !== 4) throw unexpected(`${heard.length} statements`)
  const [insert, fetch, remove, touch] = heard as [string, string, string, string]
  return { push: await pushStatement(owner, insert), pull: pullStatement(fetch), done: changeOf(remove), touch: changeOf(touch) }
}

/**
 * A new job with the values that pg-boss gives one: it makes one itself, which is looked at and taken back. Its own statement
 * reads each job out of JSON and the options out of a table, which costs more than the row (measured: 0.1 ms against 0.04 ms).
 */
async function pushStatement(owner: Database, insert: string): Promise<string> {
  const table = /INSERT INTO (pgboss\.\w+) \(/.exec(insert)?.[1]
  if (table === undefined) throw unexpected('it inserts in another way')
  const row = await madeAndTakenBack(owner, insert, table)
  const computed: Record<string, string> = {
    id: 'gen_random_uuid()', data: `jsonb_build_object('run_id', run)`, created_on: 'pgboss.job_now()',
    start_after: 'pgboss.job_now() + make_interval(secs => p_delay)',
    keep_until: `pgboss.job_now() + make_interval(secs => p_delay + ${Number(row.get('kept_seconds'))})`,
  }
  row.delete('kept_seconds')
  const strange = [...row].find(([column, text]) => !(column in computed) && /^\d{4}-\d\d-\d\d/.test(text))
  if (strange) throw unexpected(`a new job has a time in ${strange[0]}`)
  const values = [...row].map(([column, text]) => computed[column] ?? `'${text.replaceAll("'", "''")}'`)
  return `insert into ${table} (${[...row.keys()].join(', ')}) select ${values.join(', ')} from unnest(p_runs) as pushed(run)`
}

/** The columns of a new job that are not null, as text, and for how many seconds it is kept. */
async function madeAndTakenBack(owner: Database, insert: string, table: string): Promise<Map<string, string>> {
  const probe = randomUUID()
  const client = await owner.pool.connect()
  try {
    await client.query('begin')
    await client.query(insert, [JSON.stringify([{ data: { run_id: probe } }])])
    const { rows } = await client.query<{ column: string; text: string }>(
      `select e.key as column, e.value as text from ${table} j,
        jsonb_each_text(jsonb_strip_nulls(to_jsonb(j)) || jsonb_build_object('kept_seconds', extract(epoch from keep_until - start_after))) e
       where j.data ->> 'run_id' = $1`,
      [probe],
    )
    if (rows.length === 0) throw unexpected('a new job cannot be found')
    return new Map(rows.map(({ column, text }) => [column, text]))
  } finally {
    await client.query('rollback')
    client.release()
  }
}

/**
 * The jobs are looked up by their ids instead of by a join, because a function keeps its plan, and a join that was planned for
 * an empty table reads the whole queue from then on (measured after 4,000 jobs: 1.3 ms against 0.06 ms a call).
 */
function pullStatement(fetch: string): string {
  const joined = /FROM next\s+WHERE (name = '\w+') AND j\.id = next\.id/
  const returning = /RETURNING j\.id, name, data\b[^;]*$/
  if (!fetch.includes(String(pullLimit)) || !joined.test(fetch) || !returning.test(fetch)) throw unexpected('it takes jobs in another way')
  const taking = fetch.replace(String(pullLimit), 'p_limit').replace(joined, 'WHERE $1 AND j.id = any (array (select id from next))')
    .replace(returning, `RETURNING j.id, (data ->> 'run_id')::uuid as run`)
  return `with pulled as (${taking}) select array_agg(id), array_agg(run) into jobs, runs from pulled`
}

/** What changes the jobs of a queue ($1) by their ids ($2), without the count that nobody here asks for. */
function changeOf(statement: string): string {
  const counted = /^\s*WITH results AS \(\s*((?:UPDATE|DELETE) [^;]*?)\s*RETURNING id\s*\)\s*SELECT COUNT\(\*\)[^;]*$/i.exec(statement)
  const change = counted?.[1]
  if (change === undefined || change.includes('$3')) throw unexpected('it changes jobs in another way')
  return change.replaceAll('$1', 'p_queue').replaceAll('$2', 'p_jobs')
}

function unexpected(what: string): Error {
  return new Error(`pg-boss speaks differently than expected: ${what}`)
}

/**
 * What the ledger's functions call: the queue by its name. They return something, so that they can be called by an assignment,
 * which costs less than a query around them (measured: 10 µs). Plans of functions are kept, and the first is made while the
 * queue is empty: they are told to go by the index.
 */
export function queueFunctionsSql(queues: ReadonlyMap<string, QueueStatements>): string {
  const make = (name: string, signature: string, statement: (of: QueueStatements) => string, result = '') => `
    create or replace function castellan.${name}${signature} language plpgsql set enable_seqscan = off as $f$
    #variable_conflict use_column
    begin
      case p_queue ${[...queues].map(([queue, of]) => `when '${queue}' then ${statement(of)};`).join('\n')} end case;
      ${result}
    end $f$;
    revoke execute on function castellan.${name} from public;`
  return [
    make('queue_push', '(p_queue text, p_runs uuid[], p_delay integer default 0) returns boolean', ({ push }) => push, 'return true;'),
    make('queue_pull', '(p_queue text, p_limit integer, out jobs uuid[], out runs uuid[])', ({ pull }) => pull),
    make('queue_done', '(p_queue text, p_jobs uuid[]) returns boolean', ({ done }) => done, 'return true;'),
    make('queue_touch', '(p_queue text, p_jobs uuid[]) returns boolean', ({ touch }) => touch, 'return true;'),
  ].join('\n')
}
