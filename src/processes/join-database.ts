import { rmSync } from 'node:fs'
import { connect as connectSocket, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { Fault } from '../kernel/fault.ts'
import { connect, type Connection } from '../kernel/database/connect.ts'
import { migrate } from '../kernel/database/migrate.ts'
import { installQueues, superviseQueues } from '../kernel/database/queue-schema.ts'
import type { Logger } from '../kernel/log.ts'
import type { DatabaseSettings, DatabaseUser, OptionalUser } from '../house/index.ts'
import type { KeptDatabase } from './keep-database.ts'
import type { ProcessName } from './boot.ts'

export interface JoinOptions {
  readonly settings: Extract<DatabaseSettings, { kind: 'urls' }>
  readonly secret: (name: string) => string | undefined
  readonly socketFolder: string
  readonly log: Logger
  readonly beforeMigration?: () => Promise<void>
}

const oldestServer = 150_000
const users: Readonly<Record<ProcessName, Exclude<DatabaseUser, 'listener'>>> = {
  server: 'server', releaser: 'releaser', 'gate-local': 'gateLocal', 'gate-cloud': 'gateCloud', 'worker-open': 'workerOpen', 'worker-private': 'workerPrivate', reader: 'reader',
}

/**
 * Uses a PostgreSQL that the operator runs: one URL for each role, made by `castellan database sql`.
 * Workers have no network, so a server behind TCP is handed to all processes on a Unix socket.
 * @throws Fault `database.url`, `database.user`, `database.version`
 */
export async function joinDatabase(options: JoinOptions): Promise<KeptDatabase> {
  const { log } = options
  const direct = connectionsOf(options)
  const relay = direct.owner.host.startsWith('/') ? undefined : await startRelay(direct.owner, options.socketFolder)
  const reach = (user: DatabaseUser): Connection => (relay ? { ...direct[user]!, host: options.socketFolder } : direct[user]!)
  const owner = connect(reach('owner'), { application: 'up', max: 2, onLost: (error) => log.warn({ err: error }, 'lost a connection') })
  const close = async () => {
    await owner.close()
    relay?.close()
  }
  try {
    const { rows } = await owner.pool.query<{ version: number }>(`select current_setting('server_version_num')::int as version`)
    if (rows[0]!.version < oldestServer) {
      throw new Fault('invalid', 'database.version', `Castellan needs PostgreSQL 15 or newer, and this server has version number ${rows[0]!.version}`)
    }
    await migrate(owner, options.beforeMigration ? { beforeMigration: options.beforeMigration } : {})
    await installQueues(owner)
  } catch (error) {
    await close()
    throw error
  }
  const supervisor = await superviseQueues(owner, (error) => log.warn({ err: error }, 'the queue could not be looked after'))
  return {
    owner,
    connectionOf: (process) => reach(users[process]),
    listener: () => (direct.listener ? reach('listener') : undefined),
    pid: () => undefined,
    logFile: undefined,
    async stop() {
      await supervisor.stop()
      await close()
    },
  }
}

type Connections = Record<Exclude<DatabaseUser, OptionalUser>, Connection> & Partial<Record<OptionalUser, Connection>>

function connectionsOf({ settings, secret }: JoinOptions): Connections {
  const connections = {} as Connections
  for (const [user, given] of Object.entries(settings.urls) as [DatabaseUser, string | { secret: string }][]) {
    const text = typeof given === 'string' ? given : secret(given.secret)
    if (text === undefined) throw new Fault('invalid', 'database.url', `the secret of database.urls.${user} is missing; write the URL into the file of that name in the folder secrets of the home`)
    connections[user] = parseUrl(user, text)
  }
  const names = Object.values(connections).map((connection) => connection.user)
  const shared = names.find((name, index) => names.indexOf(name) !== index)
  if (shared !== undefined) {
    throw new Fault('refused', 'database.user', `two processes would use the database user "${shared}"; each needs its own: \`castellan database sql\` prints what makes them`)
  }
  return connections
}

const socketHost = 'unix-socket'

function parseUrl(user: DatabaseUser, text: string): Connection {
  // libpq lets the host be empty when a parameter names the folder of the socket; the URL standard does not
  const written = text.replace('@/', `@${socketHost}/`)
  const url = URL.canParse(written) ? new URL(written) : undefined
  const host = url?.searchParams.get('host') ?? (url?.hostname === socketHost ? undefined : url?.hostname)
  if (!url || !/^postgres(ql)?:$/.test(url.protocol) || !host || !url.username) {
    throw new Fault('invalid', 'database.url', `database.urls.${user} is not a connection URL; write postgresql://USER:PASSWORD@HOST:5432/DATABASE, or …@/DATABASE?host=/run/postgresql for a Unix socket`)
  }
  return {
    host, port: Number(url.port || 5432), database: decodeURIComponent(url.pathname.slice(1)) || 'castellan',
    user: decodeURIComponent(url.username), password: decodeURIComponent(url.password),
  }
}

/** A Unix socket that leads to the server: bytes pass as they are. */
async function startRelay(server: Connection, folder: string): Promise<Server> {
  const path = join(folder, `.s.PGSQL.${server.port}`)
  rmSync(path, { force: true })
  const relay = createServer((near) => {
    const far = connectSocket({ host: server.host, port: server.port })
    near.on('error', () => far.destroy())
    far.on('error', () => near.destroy())
    near.pipe(far).pipe(near)
  })
  await new Promise<void>((resolve, reject) => relay.once('error', reject).listen({ path, writableAll: true, readableAll: true }, resolve))
  return relay
}
