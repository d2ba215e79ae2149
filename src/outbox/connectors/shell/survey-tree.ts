import { lstat, readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '../../../kernel/fault.ts'
import { digestOfFile } from '../../../sandbox/index.ts'

export interface TreeEntry {
  /** Below the root, with `/`. */
  readonly path: string
  readonly type: 'file' | 'folder' | 'link'
  readonly size: number
  /** Who may do what, as chmod writes it. */
  readonly mode: string
  /** Of a file that was read; of another its size and times stand here, and of a link where it leads. */
  readonly content: string
  readonly sha256: string | null
  /** When a file was written; 0 of what is none. */
  readonly modifiedMs: number
}

/** What may be copied and looked at before a command is run: more is not tried out. */
const most = { entries: 20_000, bytes: 512 * 1024 * 1024, depth: 64 }
/** Files are read until so many bytes of them were. */
const hashed = { file: 16 * 1024 * 1024, together: 256 * 1024 * 1024 }

export interface SurveyOptions {
  readonly read: boolean
  /** Of the very same files before and after: then the time that no program can set counts as well. */
  readonly again?: boolean
}

/** Everything below a folder, in the order of the paths. Nothing is followed; what is gone meanwhile and what lies on the disk as anything else is left out. @throws Fault `shell.large` */
export async function surveyTree(root: string, { read, again = false }: SurveyOptions): Promise<TreeEntry[]> {
  const entries: TreeEntry[] = []
  let bytes = 0
  let budget = hashed.together

  async function look(path: string, depth: number): Promise<void> {
    const names = await readdir(join(root, path))
    if (depth > most.depth || entries.length + names.length > most.entries) throw tooMuch()
    for (const name of names.sort()) {
      const below = path === '' ? name : `${path}/${name}`
      await see(below, depth).catch((error: NodeJS.ErrnoException) => {
        // somebody removed it meanwhile
        if (error.code !== 'ENOENT') throw error
      })
    }
  }

  async function see(path: string, depth: number): Promise<void> {
    const place = join(root, path)
    const found = await lstat(place)
    const mode = (found.mode & 0o7777).toString(8).padStart(4, '0')
    if (found.isSymbolicLink()) entries.push({ path, type: 'link', size: 0, mode: '', content: await readlink(place), sha256: null, modifiedMs: 0 })
    else if (found.isDirectory()) {
      entries.push({ path, type: 'folder', size: 0, mode, content: '', sha256: null, modifiedMs: 0 })
      await look(path, depth + 1)
    } else if (found.isFile()) {
      bytes += found.size
      if (bytes > most.bytes) throw tooMuch()
      const isRead = read && found.size <= hashed.file && found.size <= budget
      if (isRead) budget -= found.size
      const sha256 = isRead ? await digestOfFile(place) : null
      entries.push({ path, type: 'file', size: found.size, mode, content: sha256 ?? [found.size, found.mtimeMs, ...(again ? [found.ctimeMs] : [])].join(' '), sha256, modifiedMs: found.mtimeMs })
    }
  }

  await look('', 1)
  return entries
}

function tooMuch(): Fault {
  return new Fault('refused', 'shell.large', `the folder is too large to try the command out on a copy of it (${most.entries} files and folders, ${most.bytes / 1024 / 1024} MB); declare a smaller one for it`)
}
