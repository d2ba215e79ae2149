import { createRequire } from 'node:module'
import type { Kysely } from 'kysely'
import pg from 'pg'
import { connectionFault } from './connection-fault.ts'
import { columnParsers } from './column-parsers.ts'
import type { Schema } from './schema.ts'

export interface Connection {
  /** The folder of the Unix socket, or a host name. */
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  readonly password: string
}

export interface ConnectOptions {
  /** Connections at most; each costs the server some megabytes. */
  readonly max?: number
  /** Shown in pg_stat_activity. */
  readonly application?: string
  /** Milliseconds to wait for a connection, a free one of the pool included. */
  readonly timeoutMs?: number
  /**
   * All that is asked through this pool is found by a key: its plans are made once, and look things up in an index, also those that were made
   * while a table was small and that are kept while it grows.
   */
  readonly byKey?: boolean
  /** Hears of connections that were lost while nobody used them; the next query opens a new one. */
  readonly onLost?: (error: Error) => void
  /** Hears the SQLSTATE of each statement that this role may not make; the caller gets its error as ever. */
  readonly onRefused?: (code: string) => void
}

export interface Database {
  readonly pool: pg.Pool
  readonly kysely: Kysely<Schema>
  /** Resolves once every connection is closed; may be called more than once. */
  close(): Promise<void>
  /** Commits what `work` did, or rolls all of it back when it throws. */
  transaction<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T>
}

/**
 * A row to select from: the statement that does so is committed without waiting for the disk. All see it at once, and a crash
 * of PostgreSQL within the next moment may forget it. Only for what is done again when it is forgotten; the next ordinary
 * commit makes it last.
 */
export const lazily = `(select set_config('synchronous_commit', 'off', true)) as lazily`

/** Opens a pool as one role; connects when the first query comes. Failures to connect are Faults of kind `unavailable` or `refused`. */
export function connect(connection: Connection, options: ConnectOptions = {}): Database {
  const pool = new FaultPool(connection, options)
  let closed: Promise<void> | undefined
  let kysely: Kysely<Schema> | undefined
  return {
    pool,
    get kysely() {
      return (kysely ??= openKysely(pool))
    },
    close: () => (closed ??= pool.end()),
    transaction: (work) => transaction(pool, work),
  }
}

/** Loaded when it is first asked for: it is the largest library here, and half of the processes write their few statements by hand. */
function openKysely(pool: pg.Pool): Kysely<Schema> {
  const { Kysely: Builder, PostgresDialect } = createRequire(import.meta.url)('kysely') as typeof import('kysely')
  return new Builder<Schema>({ dialect: new PostgresDialect({ pool }) })
}

class FaultPool extends pg.Pool {
  readonly #connection: Connection

  constructor(connection: Connection, { max = 4, application = 'castellan', timeoutMs = 10_000, byKey = false, onLost, onRefused }: ConnectOptions) {
    super({
      ...connection,
      max,
      application_name: application,
      connectionTimeoutMillis: timeoutMs,
      idleTimeoutMillis: 30_000,
      allowExitOnIdle: true,
      options: `-c search_path=castellan -c timezone=UTC${byKey ? ' -c enable_seqscan=off -c plan_cache_mode=force_generic_plan' : ''}`,
      types: columnParsers,
      // statements that are not waited for go out together: `begin` travels with the first statement behind it
      pipeline: true,
    })
    this.#connection = connection
    this.on('error', (error) => onLost?.(error))
    // a connection that dies inside a transaction, between two queries, has no other listener: it would end the process
    this.on('connect', (client) => client.on('error', () => {}))
    if (onRefused) this.on('connect', (client) => hearRefusals(client, onRefused))
  }

  override connect(): Promise<pg.PoolClient>
  override connect(callback: ConnectCallback): void
  override connect(callback?: ConnectCallback): Promise<pg.PoolClient> | void {
    if (callback === undefined) {
      return super.connect().catch((error: Error) => {
        throw connectionFault(error, this.#connection)
      })
    }
    super.connect((error, client, done) => callback(error && connectionFault(error, this.#connection), client, done))
  }
}

/** insufficient_privilege, row-level security included, and our own guard of labels. */
const refusals: readonly string[] = ['42501', 'CA001']

/** On the wire, where every way to ask comes by: a statement in a transaction, of a pool, or one whose error nobody looks at. */
function hearRefusals(client: pg.PoolClient, onRefused: (code: string) => void): void {
  const { connection } = client as unknown as { connection: NodeJS.EventEmitter }
  connection.on('errorMessage', ({ code }: { code?: string }) => {
    if (code !== undefined && refusals.includes(code)) onRefused(code)
  })
}

type ConnectCallback = (error: Error | undefined, client: pg.PoolClient | undefined, done: (release?: unknown) => void) => void

async function transaction<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  try {
    const begun = client.query('begin')
    const [result] = await Promise.all([work(client), begun])
    const { command } = await client.query('commit')
    // PostgreSQL answers ROLLBACK, without an error, when a statement failed and `work` went on as if it had not
    if (command !== 'COMMIT') throw new Error('the transaction was rolled back: a statement in it failed and the failure was not passed on')
    client.release()
    return result
  } catch (error) {
    const broken = await client.query('rollback').then(() => undefined, (failure: Error) => failure)
    client.release(broken)
    throw error
  }
}
