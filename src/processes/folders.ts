import { createHash } from 'node:crypto'
import { chmodSync, chownSync, closeSync, constants, existsSync, fchmodSync, fchownSync, lstatSync, mkdirSync, openSync, statSync, type Stats } from 'node:fs'
import { dirname, join } from 'node:path'
import { Fault } from '../kernel/fault.ts'
import type { Account, AccountOwner } from './accounts.ts'
import type { ProcessName, Sockets } from './boot.ts'

type Accounts = ReadonlyMap<AccountOwner, Account> | undefined

const owners: readonly AccountOwner[] = ['database', 'server', 'releaser', 'gate-local', 'gate-cloud', 'worker-open', 'worker-private', 'reader']
/** Of homes that were started as root. */
export const sharedRuntime = '/run/castellan'

const operatorFolders = ['operator', 'secrets', 'log']

/** Makes what is missing of the home, 0711 at the top and 0700 below. @throws Fault for modes, owners or parents that break the separation */
export function prepareHome(home: string, accounts: Accounts): void {
  mkdirSync(home, { recursive: true, mode: 0o711 })
  const top = statSync(home)
  if (top.mode & 0o022) throw wrongMode(home, top, '0711')
  if (top.uid === ownUid()) chmodSync(home, 0o711)
  for (const folder of operatorFolders) ownFolder(join(home, folder), undefined)
  for (const owner of owners) ownFolder(join(home, owner), accounts?.get(owner))
  if (accounts !== undefined) requireReachable(home, 'the home of Castellan', 'set CASTELLAN_HOME to a folder that other users can enter, e.g. /var/lib/castellan')
}

/** Refuses a path that an account without rights cannot enter, naming the folder that stops it. */
export function requireReachable(path: string, what: string, instead: string): void {
  for (let folder = path; ; folder = dirname(folder)) {
    const stats = statSync(folder)
    const needed = stats.isDirectory() ? 0o001 : 0o004
    if ((stats.mode & needed) === 0) {
      throw new Fault('invalid', 'path.unreachable', `${what} (${path}) cannot be reached by the users that the processes run as: ${folder} lets nobody through (mode ${octal(stats)}). Run \`chmod o+x ${folder}\`, or ${instead}`)
    }
    if (folder === dirname(folder)) return
  }
}

/** The short folder of the sockets of one home. Who is of a gate's or the reader's group may enter its folder. Unix socket paths end at 104 bytes on macOS. */
export function prepareRuntime(home: string, accounts: Accounts): { key: string; folder: string; database: string; sockets: Sockets } {
  const key = homeKey(home)
  const base = accounts ? sharedRuntime : join(process.env.XDG_RUNTIME_DIR ?? ownTemporary(), 'castellan')
  const top = join(base, key)
  mkdirSync(top, { recursive: true, mode: 0o711 })
  for (const folder of [base, top]) {
    if (statSync(folder).uid !== ownUid()) throw new Fault('refused', 'runtime.owner', `${folder} belongs to another user; remove it, or set XDG_RUNTIME_DIR`)
    chmodSync(folder, 0o711)
  }
  const door = (name: AccountOwner, mode: number) => {
    const folder = join(top, name)
    mkdirSync(folder, { recursive: true })
    if (accounts) chownSync(folder, accounts.get(name)!.uid, accounts.get(name)!.gid)
    chmodSync(folder, mode)
    return folder
  }
  return {
    key,
    folder: top,
    database: door('database', 0o711),
    sockets: {
      server: join(door('server', 0o700), 'socket'),
      releaser: join(door('releaser', 0o700), 'socket'),
      gateLocal: join(door('gate-local', 0o710), 'socket'),
      gateCloud: join(door('gate-cloud', 0o710), 'socket'),
      reader: join(door('reader', 0o710), 'socket'),
    },
  }
}

/**
 * Where no folder of this user is given. In /tmp anybody makes folders: whose this one is, he could put sockets of his own in the place of ours.
 * @throws Fault `runtime.owner`
 */
export function ownTemporary(temporary = '/tmp'): string {
  const folder = join(temporary, `castellan-${ownUid()}`)
  mkdirSync(folder, { recursive: true, mode: 0o711 })
  const stats = lstatSync(folder)
  if (!stats.isDirectory() || stats.uid !== ownUid()) throw new Fault('refused', 'runtime.owner', `${folder} is not a folder of this user; remove it, or set XDG_RUNTIME_DIR`)
  if (stats.mode & 0o022) throw wrongMode(folder, stats, '0711')
  return folder
}

/** Tells one home from others on the same machine. */
export function homeKey(home: string): string {
  return createHash('sha256').update(home).digest('hex').slice(0, 8)
}

/** Where `up` opens to a process that is a unit: a folder of root's, which stays closed until the socket in it belongs to that user. */
export function prepareDoor(runtime: string, name: ProcessName, account: Account): string {
  const folder = dirname(doorOf(runtime, name))
  mkdirSync(folder, { recursive: true })
  chownSync(folder, ownUid(), account.gid)
  chmodSync(folder, 0o700)
  return doorOf(runtime, name)
}

export function doorOf(runtime: string, name: ProcessName): string {
  return join(runtime, `door-${name}`, 'socket')
}

/**
 * Gives a folder of the house to the one who uses it, and closes it for the rest. Folders outside the house are left as they are, and so is a link:
 * whoever owns the folder around it could lead us, who are root, to any other. What was looked at is what is given, also when the name changes in between.
 */
export function grantFolder(path: string, access: { owner?: Account; group?: Account; mode: number }): void {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) mkdirSync(path, { recursive: true })
  const held = openUnlessLink(path)
  if (held === undefined) return
  try {
    fchownSync(held, access.owner?.uid ?? ownUid(), access.group?.gid ?? access.owner?.gid ?? ownGid())
    fchmodSync(held, access.mode)
  } finally {
    closeSync(held)
  }
}

function openUnlessLink(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ELOOP') return undefined
    throw error
  }
}

function ownFolder(path: string, account: Account | undefined): void {
  const uid = account?.uid ?? ownUid()
  if (!existsSync(path)) {
    mkdirSync(path, { mode: 0o700 })
    if (account) chownSync(path, account.uid, account.gid)
    return
  }
  const stats = statSync(path)
  if (stats.uid !== uid) {
    throw new Fault('refused', 'home.owner', `${path} belongs to uid ${stats.uid}, and should belong to uid ${uid}. If it is yours, run \`chown -R ${uid} ${path}\`; a home that was started as root is started as root again`)
  }
  if (stats.mode & 0o077) throw wrongMode(path, stats, '0700')
}

function wrongMode(path: string, stats: Stats, mode: string): Fault {
  return new Fault('refused', 'home.mode', `${path} has mode ${octal(stats)} and is open to other users. Look who has been in it, then run \`chmod ${mode} ${path}\``)
}

function octal(stats: Stats): string {
  return (stats.mode & 0o7777).toString(8).padStart(4, '0')
}

function ownUid(): number {
  return process.getuid?.() ?? -1
}

function ownGid(): number {
  return process.getgid?.() ?? -1
}
