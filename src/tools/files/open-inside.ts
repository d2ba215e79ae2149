import { constants } from 'node:fs'
import { open, readlink, realpath, stat, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '../../kernel/fault.ts'
import { assertOpen, type ProtectedPlaces } from './protected-names.ts'

/** An opened file or folder whose true place was checked after it was opened. */
export interface Opened {
  readonly handle: FileHandle
  /** Without symbolic links. */
  readonly real: string
  /** A path that names this very folder, whatever happens to its name meanwhile. */
  readonly base: string
}

export interface Root {
  /** The name in castellan.yaml, for messages. */
  readonly name: string
  /** Without symbolic links. */
  readonly real: string
  readonly places: ProtectedPlaces
}

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants

/** The declared folder itself, its symbolic links resolved. */
export async function openRoot(name: string, path: string, places: ProtectedPlaces): Promise<Root> {
  try {
    return { name, real: await realpath(path), places }
  } catch (error) {
    throw explain(error, name, '')
  }
}

/** Opens a folder in a declared one. */
export async function openFolder(root: Root, parts: readonly string[]): Promise<Opened> {
  return await openChecked(root, parts, O_RDONLY | O_DIRECTORY)
}

/** Opens an ordinary file for reading. Its last part is not a symbolic link; a FIFO or a device does not hold the caller up. */
export async function openFile(root: Root, parts: readonly string[]): Promise<Opened> {
  const opened = await openChecked(root, parts, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  if ((await opened.handle.stat()).isFile()) return opened
  await opened.handle.close()
  throw new Fault('invalid', 'files.kind', `${parts.join('/')} in ${root.name} is not an ordinary file`)
}

async function openChecked(root: Root, parts: readonly string[], flags: number): Promise<Opened> {
  const path = join(root.real, ...parts)
  let handle: FileHandle
  try {
    handle = await open(path, flags)
  } catch (error) {
    throw explain(error, root.name, parts.join('/'))
  }
  try {
    const real = await placeOf(handle, path)
    assertOpen(real, root.real, root.places)
    return { handle, real, base: process.platform === 'linux' ? `/proc/self/fd/${handle.fd}` : real }
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** Where an open file lies: asked of the descriptor, because a name can be changed between two looks. */
async function placeOf(handle: FileHandle, path: string): Promise<string> {
  if (process.platform === 'linux') return await readlink(`/proc/self/fd/${handle.fd}`)
  const real = await realpath(path)
  const [named, opened] = [await stat(real), await handle.stat()]
  if (named.ino !== opened.ino || named.dev !== opened.dev) throw new Fault('conflict', 'files.moved', 'the file was exchanged while it was opened; try again')
  return real
}

/** An error of the file system, said in words. */
export function explain(error: unknown, folder: string, path: string): Fault {
  if (error instanceof Fault) return error
  const code = (error as NodeJS.ErrnoException).code ?? ''
  const where = path === '' ? `the folder ${folder}` : `${path} in ${folder}`
  const fault = (kind: Fault['kind'], name: string, message: string) => new Fault(kind, name, message, {}, error)
  switch (code) {
    case 'ENOENT':
      return fault('missing', 'files.missing', path === '' ? `${where} does not exist; make it, or correct its path in castellan.yaml` : `there is no ${where}`)
    case 'ELOOP':
      return fault('refused', 'files.link', `${where} is a symbolic link; name what it points to, if that lies in a declared folder`)
    case 'ENOTDIR':
      return fault('invalid', 'files.kind', `a part of ${where} is not a folder`)
    case 'EISDIR':
      return fault('invalid', 'files.kind', `${where} is a folder`)
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return fault('refused', 'files.permission', `the worker may not open ${where}; its permissions forbid it`)
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return fault('unavailable', 'files.disk_full', `the disk is full; ${where} was not written`)
    default:
      return fault('unavailable', 'files.failed', `${where} could not be used: ${code || (error as Error).message}`)
  }
}
