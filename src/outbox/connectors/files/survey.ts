import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { lstat, open, readdir } from 'node:fs/promises'
import { Fault } from '../../../kernel/fault.ts'
import type { FileEntry } from '../../acts/files-act.ts'
import { withAnchored } from './anchored.ts'

/** What is read to be compared: the bytes of small files, until there are many. */
const hashed = { file: 1024 * 1024, together: 64 * 1024 * 1024 }
const most = { entries: 20_000, depth: 32 }

/** Everything at these places of a folder, in the order of its names: a dry run of whatever is done with it. @throws Fault */
export async function survey(root: string, paths: readonly string[]): Promise<FileEntry[]> {
  const entries: FileEntry[] = []
  let budget = hashed.together
  let device: number | undefined

  async function look(path: string, depth: number): Promise<void> {
    if (entries.length >= most.entries) throw new Fault('refused', 'files.many', `there are more than ${most.entries} files and folders in it; propose it in parts`)
    if (depth > most.depth) throw new Fault('refused', 'files.deep', `${path} lies too deep`)
    const names = await withAnchored(root, path, async (place) => {
      const found = await lstat(place)
      device ??= found.dev
      if (found.dev !== device) throw new Fault('refused', 'files.mount', `${path} is on another disk`)
      if (found.isSymbolicLink()) throw new Fault('refused', 'files.link', `${path} is a symbolic link, and none is followed; take it out first`)
      if (found.isDirectory()) {
        entries.push({ path, type: 'folder', size: 0, modified: 0, sha256: null })
        return (await readdir(place)).sort()
      }
      if (!found.isFile()) throw new Fault('refused', 'files.kind', `${path} is neither a file nor a folder`)
      const isRead = found.size <= hashed.file && found.size <= budget
      if (isRead) budget -= found.size
      entries.push({ path, type: 'file', size: found.size, modified: Math.floor(found.mtimeMs), sha256: isRead ? await digest(place, found.size) : null })
      return []
    })
    for (const name of names) await look(`${path}/${checkName(name)}`, depth + 1)
  }

  for (const path of paths) {
    try {
      await look(path, 1)
    } catch (error) {
      if (error instanceof Fault) throw error
      const { code } = error as NodeJS.ErrnoException
      throw new Fault(code === 'ENOENT' ? 'missing' : 'refused', 'files.failed', code === 'ENOENT' ? `there is no ${path}` : `${path} cannot be looked at (${code})`, {}, error)
    }
  }
  return entries
}

/** A name that cannot be shown as what it is cannot be signed for. */
function checkName(name: string): string {
  if (!name.isWellFormed() || /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\uFFFD]/u.test(name)) throw new Fault('refused', 'files.name', `a file is called ${JSON.stringify(name)}, which cannot be shown; give it another name first`)
  return name
}

async function digest(place: string, size: number): Promise<string> {
  const file = await open(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const hash = createHash('sha256')
    const piece = Buffer.alloc(64 * 1024)
    for (let at = 0; ;) {
      const { bytesRead } = await file.read(piece, 0, piece.length, at)
      if (bytesRead === 0) return hash.digest('hex')
      at += bytesRead
      if (at > size) throw new Fault('conflict', 'files.changed', 'a file grew while it was read; try again')
      hash.update(piece.subarray(0, bytesRead))
    }
  } finally {
    await file.close()
  }
}
