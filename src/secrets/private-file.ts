import { closeSync, constants, fchmodSync, fchownSync, fstatSync, fsyncSync, openSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync, type Stats } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { basename, dirname, join } from 'node:path'
import { Fault } from '../kernel/fault.ts'

/** What others can read is no secret any more. @throws Fault `secrets.mode` */
export function requirePrivate(path: string, stats: Stats): void {
  if (stats.mode & 0o077) {
    const mode = stats.isDirectory() ? '700' : '600'
    throw new Fault('refused', 'secrets.mode', `${path} has mode ${(stats.mode & 0o7777).toString(8).padStart(4, '0')} and can be reached by other users; run \`chmod ${mode} ${path}\`, and replace what was in it if somebody else could have read it`)
  }
}

/** The content of a file that only its owner can read; looked at by its descriptor, so that nobody exchanges it in between. @throws Fault `secrets.file`, `secrets.mode` */
export function readPrivateFile(path: string, check: (path: string, stats: Stats) => void = requirePrivate): Buffer {
  const descriptor = open(path)
  try {
    const stats = fstatSync(descriptor)
    if (!stats.isFile()) throw new Fault('invalid', 'secrets.file', `${path} is no file`)
    check(path, stats)
    return readFileSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** @throws Fault `secrets.file` */
function open(path: string): number {
  try {
    // a pipe that nobody writes to must not keep us
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new Fault(code === 'ENOENT' ? 'missing' : 'refused', 'secrets.file', code === 'ENOENT' ? `there is no file ${path}` : `${path} cannot be read (${code}); run this as its owner`)
  }
}

export interface WriteOptions {
  /** Whose it shall be, where that is not us. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined
  readonly mode?: number
}

/** The old content stays until the new is whole and on the disk; the new file is nobody else's from its first byte on. */
export function replacePrivateFile(path: string, content: string | Uint8Array, { owner, mode = 0o600 }: WriteOptions = {}): void {
  const next = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.new`)
  const descriptor = openSync(next, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600)
  try {
    try {
      const isTheirs = owner === undefined || giveTo(descriptor, owner)
      fchmodSync(descriptor, isTheirs ? mode : mode & 0o707)
      writeFileSync(descriptor, content)
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    renameSync(next, path)
  } catch (error) {
    rmSync(next, { force: true })
    throw error
  }
  syncFolder(dirname(path))
}

/** False where its group could not be: what that group may do is nothing for another. */
function giveTo(descriptor: number, { uid, gid }: NonNullable<WriteOptions['owner']>): boolean {
  const now = fstatSync(descriptor)
  if (now.uid === uid && now.gid === gid) return true
  try {
    fchownSync(descriptor, uid, gid)
    return true
  } catch (error) {
    if (now.uid !== uid || (error as NodeJS.ErrnoException).code !== 'EPERM') throw error
    return false
  }
}

/** Makes the names in a folder durable. */
export function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** Replaces a file of the operator's, where a link leads to it the one that it leads to, and leaves its mode, owner and group as they are. */
export function rewriteFile(path: string, content: string | Uint8Array): void {
  const home = realpathSync(path)
  const { mode, uid, gid } = statSync(home)
  replacePrivateFile(home, content, { owner: { uid, gid }, mode: mode & 0o777 })
}
