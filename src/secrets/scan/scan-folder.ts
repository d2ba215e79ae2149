import { closeSync, constants, existsSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { scanText, type Sighting, type Wanted } from './scan-text.ts'

export interface FolderScan {
  readonly found: { readonly file: string; readonly sighting: Sighting }[]
  /** Folders that git keeps a history of. */
  readonly repositories: string[]
  readonly unread: string[]
  files: number
  bytes: number
  binaries: number
}

export interface FolderOptions {
  /** Paths that are left out. */
  readonly without?: readonly string[]
  readonly only?: RegExp
}

/** What others wrote, and what git itself keeps. */
const leftOut = new Set(['.git', 'node_modules'])
const pieceBytes = 1024 * 1024

export function emptyScan(): FolderScan {
  return { found: [], repositories: [], unread: [], files: 0, bytes: 0, binaries: 0 }
}

/** Looks through all files below a path, follows no link and opens nothing that is no file. */
export function scanFolder(path: string, wanted: Wanted, { without = [], only }: FolderOptions = {}, scan = emptyScan()): FolderScan {
  const buffer = Buffer.allocUnsafe(pieceBytes)
  const waiting = [path]
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    if (existsSync(join(folder, '.git'))) scan.repositories.push(folder)
    for (const entry of entriesOf(folder, scan)) {
      const inside = join(folder, entry.name)
      if (leftOut.has(entry.name) || without.includes(inside)) continue
      if (entry.isDirectory()) waiting.push(inside)
      else if (entry.isFile() && (only === undefined || only.test(entry.name))) scanFile(inside, wanted, buffer, scan)
    }
  }
  return scan
}

function entriesOf(folder: string, scan: FolderScan) {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch {
    scan.unread.push(folder)
    return []
  }
}

export function scanFile(file: string, wanted: Wanted, buffer: Buffer, scan: FolderScan): void {
  let descriptor: number
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch {
    scan.unread.push(file)
    return
  }
  try {
    if (!fstatSync(descriptor).isFile()) return
    const text = scanText(wanted)
    const see = (sightings: readonly Sighting[]) => scan.found.push(...sightings.map((sighting) => ({ file, sighting })))
    scan.files++
    for (let length = readSync(descriptor, buffer); length > 0; length = readSync(descriptor, buffer)) {
      scan.bytes += length
      const sightings = text.feed(buffer.subarray(0, length))
      if (sightings === undefined) {
        scan.binaries++
        return
      }
      see(sightings)
    }
    see(text.end())
  } catch {
    scan.unread.push(file)
  } finally {
    closeSync(descriptor)
  }
}
