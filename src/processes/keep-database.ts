import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { connect, type Connection, type Database } from '../kernel/database/connect.ts'
import { startPostgres, type Postgres } from '../kernel/database/embedded.ts'
import { prepareDatabase } from '../kernel/database/prepare.ts'
import { superviseQueues } from '../kernel/database/queue-schema.ts'
import { roles, type Passwords, type Role } from '../kernel/database/roles.ts'
import type { Logger } from '../kernel/log.ts'
import type { Account } from './accounts.ts'
import type { ProcessName } from './boot.ts'

/** The database of one home: kept running by `up`, which alone is its owner. */
export interface KeptDatabase {
  readonly owner: Database
  /** The connection of one process, with a password that is made anew at every start. */
  connectionOf(process: ProcessName): Connection
  /** Of the listener for webhooks; undefined where the operator gave it no user. */
  listener(): Connection | undefined
  /** The pid of the server; changes when it had to be started again. */
  pid(): number | undefined
  /** Where the server says what it refused; undefined where it is not ours. */
  readonly logFile: string | undefined
  stop(): Promise<void>
}

export interface KeepOptions {
  readonly home: string
  readonly socketFolder: string
  readonly account: Account | undefined
  readonly log: Logger
  /** Awaited before the first pending migration of a database that holds data; a backup hangs on it. */
  readonly beforeMigration?: () => Promise<void>
}

const restartPauseMs = [0, 500, 2_000, 5_000]
/** Deaths longer ago than this no longer lengthen the pause. */
const forgetMs = 10_000

/** Starts PostgreSQL, brings its schema up to date, gives each role a new password, and starts it again should it die. */
export async function keepDatabase(options: KeepOptions): Promise<KeptDatabase> {
  const { log } = options
  let stopping = false
  const start = () =>
    startPostgres({ folder: join(options.home, 'database'), socketFolder: options.socketFolder, user: options.account, log })
  let postgres: Postgres | undefined = await start()
  const { connection } = postgres

  let failures = 0
  const watch = async (running: Postgres): Promise<void> => {
    const since = performance.now()
    const how = await running.exited
    postgres = undefined
    if (performance.now() - since > forgetMs) failures = 0
    while (!stopping && postgres === undefined) {
      log.error({ how }, 'PostgreSQL ended unexpectedly; starting it again')
      await delay(restartPauseMs[Math.min(failures++, restartPauseMs.length - 1)])
      postgres = await start().catch((error: unknown) => {
        log.error({ err: error }, 'PostgreSQL could not be started again')
        return undefined
      })
    }
    if (postgres !== undefined) void watch(postgres)
  }
  void watch(postgres)

  const owner = connect(connection, { application: 'up', max: 2, onLost: (error) => log.warn({ err: error }, 'lost a connection') })
  const passwords = Object.fromEntries(roles.map((role) => [role, randomBytes(24).toString('base64url')])) as Passwords
  const close = async () => {
    stopping = true
    await owner.close()
    await postgres?.stop('fast')
  }
  try {
    const { beforeMigration } = options
    await prepareDatabase(owner, passwords, beforeMigration ? { beforeMigration } : {})
  } catch (error) {
    await close()
    throw error
  }
  const supervisor = await superviseQueues(owner, (error) => log.warn({ err: error }, 'the queue could not be looked after'))
  return {
    owner,
    connectionOf: (process) => {
      const user = `castellan_${process.replace('-', '_')}` as Role
      return { ...connection, user, password: passwords[user] }
    },
    listener: () => ({ ...connection, user: 'castellan_listener', password: passwords.castellan_listener }),
    pid: () => postgres?.pid,
    logFile: join(options.home, 'database', 'postgres.log'),
    async stop() {
      await supervisor.stop()
      await close()
    },
  }
}
