import { constants } from 'node:fs'
import { open, readlink, realpath, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Fault } from '../../../kernel/fault.ts'

/** A folder that was opened, so that its name can be changed meanwhile without leading elsewhere. */
interface Anchored {
  readonly handle: FileHandle
  /** A path that names this very folder. */
  readonly base: string
}

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants

/** Opens a folder that lies exactly where its path says: no part of the path below `root` is a symbolic link. */
async function openAnchored(root: string, path: string): Promise<Anchored> {
  const meant = path === '' ? root : join(root, path)
  const handle = await open(meant, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
  try {
    const isLinux = process.platform === 'linux'
    const real = isLinux ? await readlink(`/proc/self/fd/${handle.fd}`) : await realpath(meant)
    if (real !== meant) throw new Fault('refused', 'files.link', `a part of ${path} is a symbolic link, and none is followed`)
    return { handle, base: isLinux ? `/proc/self/fd/${handle.fd}` : real }
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** Works with what lies at `path` under `root` by a name that cannot be led elsewhere. */
export async function withAnchored<T>(root: string, path: string, work: (anchored: string) => Promise<T>): Promise<T> {
  const parent = dirname(path)
  const { handle, base } = await openAnchored(root, parent === '.' ? '' : parent)
  try {
    return await work(join(base, basename(path)))
  } finally {
    await handle.close()
  }
}
