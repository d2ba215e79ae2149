import { link, lstat, mkdir, rename, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Fault } from '../../../kernel/fault.ts'
import { withAnchored } from './anchored.ts'

export const trashName = '.castellan-trash'

/** Puts a file or folder elsewhere in its folder, and never over anything that is there. */
export async function put(root: string, from: string, to: string): Promise<void> {
  await withAnchored(root, from, (source) => withAnchored(root, to, async (target) => {
    const found = await lstat(source)
    if (found.isSymbolicLink()) throw new Fault('conflict', 'files.changed', `${from} is a symbolic link now`)
    await lstat(target).then(
      () => { throw new Fault('conflict', 'files.taken', `${to} is there already`) },
      (error: NodeJS.ErrnoException) => { if (error.code !== 'ENOENT') throw error },
    )
    // a folder is never renamed over a file, nor over a folder with something in it; a file would be, but not linked
    if (found.isDirectory() || to.startsWith(`${trashName}/`)) return rename(source, target)
    await link(source, target)
    try {
      await unlink(source)
    } catch (error) {
      await unlink(target)
      throw error
    }
  }))
}

/** Makes the place in the trash that a deleted item is put into. */
export async function makePlace(root: string, to: string): Promise<void> {
  const parts = dirname(to).split('/')
  for (let count = 1; count <= parts.length; count += 1) {
    await withAnchored(root, parts.slice(0, count).join('/'), async (place) => {
      await mkdir(place, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => { if (error.code !== 'EEXIST') throw error })
    })
  }
}

export async function isThere(root: string, path: string): Promise<boolean> {
  try {
    return await withAnchored(root, path, async (place) => (await lstat(place), true))
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? '')) return false
    throw error
  }
}
