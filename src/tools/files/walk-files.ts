import { lstat, readdir } from 'node:fs/promises'
import { relative, sep } from 'node:path'
import type { FileEntry } from './files.ts'
import { openFolder, type Root } from './open-inside.ts'
import { assertOpen, isProtectedName } from './protected-names.ts'

/** Entries that are looked at, at most, however many are wanted. */
const mostEntries = 20_000

/**
 * The files and folders below a folder, each before what is in it, in the order of their names. Symbolic links, hidden folders of
 * programs and protected names are left out.
 */
export async function* walkFiles(root: Root, parts: readonly string[], recursive: boolean): AsyncGenerator<FileEntry> {
  const waiting: (readonly string[])[] = [parts]
  let looked = 0
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const below: (readonly string[])[] = []
    for (const entry of await readFolder(root, next)) {
      looked += 1
      if (looked > mostEntries) return
      yield entry
      if (recursive && entry.kind === 'folder') below.push(entry.path.split('/'))
    }
    waiting.unshift(...below)
  }
}

async function readFolder(root: Root, parts: readonly string[]): Promise<FileEntry[]> {
  const folder = await openFolder(root, parts)
  try {
    const place = relative(root.real, folder.real).split(sep).filter((part) => part !== '')
    const entries: FileEntry[] = []
    for (const item of await readdir(folder.base, { withFileTypes: true })) {
      if ((!item.isFile() && !item.isDirectory()) || isProtectedName(item.name) || !isOpen(root, [folder.real, item.name].join(sep))) continue
      const found = await lstat(`${folder.base}/${item.name}`).catch(() => undefined)
      if (!found || (!found.isFile() && !found.isDirectory())) continue
      entries.push({ path: [...place, item.name].join('/'), kind: found.isFile() ? 'file' : 'folder', bytes: found.isFile() ? found.size : 0, modified: found.mtime })
    }
    return entries.sort((a, b) => (a.path < b.path ? -1 : 1))
  } finally {
    await folder.handle.close()
  }
}

function isOpen(root: Root, real: string): boolean {
  try {
    assertOpen(real, root.real, root.places)
    return true
  } catch {
    return false
  }
}
