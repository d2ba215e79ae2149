import { randomBytes } from 'node:crypto'
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Fault } from '../fault.ts'
import { allows, assertReachable, type SystemUser } from './embedded-binaries.ts'

export interface DatabaseFolder {
  /** The data folder of PostgreSQL itself; does not exist before the first start. */
  readonly data: string
  readonly passwordFile: string
  readonly logFile: string
  /** Who started the server that runs now: the pid of a supervisor. */
  readonly starterFile: string
}

/** Unix domain socket addresses hold 104 bytes on macOS and 108 on Linux, the end mark included. */
const longestSocketPath = 103

/** Makes the folders that are missing and refuses those that PostgreSQL would refuse, in clearer words. */
export function prepareFolder(folder: string, socketFolder: string, port: number, user: SystemUser): DatabaseFolder {
  const socket = join(socketFolder, `.s.PGSQL.${port}`)
  if (Buffer.byteLength(socket) > longestSocketPath) {
    throw new Fault(
      'invalid',
      'database.socket_path',
      `the path of the database's socket has ${Buffer.byteLength(socket)} bytes, ${longestSocketPath} are possible: ${socket}. Choose a shorter runtime folder (XDG_RUNTIME_DIR)`,
      { socket },
    )
  }
  own(folder, 0o700, user)
  own(socketFolder, 0o755, user)
  const root = realpathSync(folder)
  assertReachable(join(root, 'data'), user, "the database's folder")
  assertReachable(join(realpathSync(socketFolder), 'socket'), user, "the folder of the database's socket")
  if (!allows(statSync(socketFolder), user, 0o3)) {
    throw new Fault('refused', 'database.socket_folder', `user ${user.name} cannot write to ${socketFolder}; give it to that user: \`chown ${user.name} ${socketFolder}\``)
  }
  return {
    data: join(root, 'data'),
    passwordFile: join(root, 'owner.password'),
    logFile: join(root, 'postgres.log'),
    starterFile: join(root, 'starter.pid'),
  }
}

/** Makes a folder for `user`; one that exists is left as it is. Folders above it are passable, not readable. */
function own(folder: string, mode: number, user: SystemUser): void {
  if (existsSync(folder)) return
  mkdirSync(dirname(folder), { recursive: true, mode: 0o711 })
  mkdirSync(folder, { mode })
  chmodSync(folder, mode)
  if (process.getuid?.() === 0) chownSync(folder, user.uid, user.gid)
}

/** Refuses a data folder of another version, another owner, or one that others may read. */
export function assertData({ data }: DatabaseFolder, major: number, user: SystemUser): void {
  const stats = statSync(data)
  if (stats.uid !== user.uid) {
    throw new Fault('refused', 'database.folder_owner', `${data} belongs to uid ${stats.uid}, but the database runs as ${user.name}; give it back with \`chown -R ${user.name} ${data}\``, { data })
  }
  if ((stats.mode & 0o077) !== 0) {
    const mode = (stats.mode & 0o777).toString(8).padStart(4, '0')
    throw new Fault('refused', 'database.folder_mode', `others may look into ${data} (mode ${mode}); close it with \`chmod 700 ${data}\``, { data })
  }
  const versionFile = join(data, 'PG_VERSION')
  const version = existsSync(versionFile) ? readFileSync(versionFile, 'utf8').trim() : undefined
  if (version === undefined) {
    throw new Fault('invalid', 'database.folder_broken', `${data} is not a data folder of PostgreSQL: PG_VERSION is missing. Restore a backup, or move the folder away to begin with an empty database`, { data })
  }
  if (version !== String(major)) {
    throw new Fault('invalid', 'database.version', `${data} was written by PostgreSQL ${version}, and this Castellan brings PostgreSQL ${major}. Start the Castellan that wrote it, make a backup there, and restore it here`, { data, version, major })
  }
}

/** The owner's password, or nothing when the file is missing or empty. */
export function readPassword({ passwordFile }: DatabaseFolder): string | undefined {
  return (existsSync(passwordFile) && readFileSync(passwordFile, 'utf8').trim()) || undefined
}

/** Keeps `password`, or a new random one, for the owner alone. */
export function keepPassword({ passwordFile }: DatabaseFolder, user: SystemUser, password = randomBytes(24).toString('base64url')): string {
  rmSync(passwordFile, { force: true })
  writeFileSync(passwordFile, password, { mode: 0o600, flag: 'wx' })
  if (process.getuid?.() === 0) chownSync(passwordFile, user.uid, user.gid)
  return password
}
