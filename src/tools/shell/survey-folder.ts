import { readdir } from 'node:fs/promises'
import { join as joinPath } from 'node:path'
import { Fault } from '../../kernel/fault.ts'
import { join, UNLABELLED, type Label } from '../../labels/index.ts'
import { labelOfBytes, type FileLabelDeps } from '../files/file-label.ts'
import { openFile, openFolder, type Root } from '../files/open-inside.ts'
import { assertOpen, isProtectedName } from '../files/protected-names.ts'
import type { HiddenPlace } from '../../sandbox/index.ts'

export interface Survey {
  /** Of all that a command could read there. */
  readonly label: Label
  /** What it must not see: secrets, keys, configuration, and sockets that lead out. */
  readonly hidden: readonly HiddenPlace[]
}

const mostFiles = 20_000
const mostBytes = 500 * 1024 * 1024

/** Looks at everything in a declared folder before a command may. What is too much to look at is taken for the worst. */
export async function surveyFolder(deps: FileLabelDeps, root: Root, signal: AbortSignal): Promise<Survey> {
  const hidden: HiddenPlace[] = []
  let label = deps.labelOf(root.name, '')
  let files = 0
  let bytes = 0
  const waiting: string[][] = [[]]
  for (let parts = waiting.pop(); parts !== undefined; parts = waiting.pop()) {
    signal.throwIfAborted()
    const folder = await openFolder(root, parts)
    const entries = await readdir(folder.base, { withFileTypes: true }).finally(() => folder.handle.close())
    for (const entry of entries) {
      const path = joinPath(folder.real, entry.name)
      if (entry.isSymbolicLink()) continue
      if ((!entry.isFile() && !entry.isDirectory()) || isClosed(root, path, entry.name)) {
        hidden.push({ path, kind: entry.isDirectory() ? 'folder' : 'file' })
      } else if (entry.isDirectory()) {
        waiting.push([...parts, entry.name])
      } else {
        files += 1
        const read = await readLabelled(deps, root, [...parts, entry.name], mostBytes - bytes)
        bytes += read.bytes
        label = join(label, read.label)
      }
    }
    if (files > mostFiles || bytes > mostBytes) label = join(label, UNLABELLED)
  }
  return { label, hidden }
}

async function readLabelled(deps: FileLabelDeps, root: Root, parts: readonly string[], most: number): Promise<{ bytes: number; label: Label }> {
  const path = parts.join('/')
  try {
    const { handle } = await openFile(root, parts)
    try {
      const { size } = await handle.stat()
      if (size > most) return { bytes: size, label: join(deps.labelOf(root.name, path), UNLABELLED) }
      return { bytes: size, label: await labelOfBytes(deps, root.name, path, await handle.readFile()) }
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    // what this process may not read, the command may not either; it is still there by name
    return { bytes: 0, label: deps.labelOf(root.name, path) }
  }
}

function isClosed(root: Root, path: string, name: string): boolean {
  if (isProtectedName(name)) return true
  try {
    assertOpen(path, root.real, root.places)
    return false
  } catch {
    return true
  }
}
