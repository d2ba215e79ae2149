import { lstatSync } from 'node:fs'
import { relative } from 'node:path'
import type { SecretFolder } from '../secret-folder.ts'
import type { AcceptedFindings } from './accepted.ts'
import { compilePatterns } from './find-known.ts'
import { knownForms } from './known-forms.ts'
import { emptyScan, scanFile, scanFolder, type FolderOptions, type FolderScan } from './scan-folder.ts'
import { commitOf, scanHistory } from './scan-history.ts'
import { scanText, type Sighting, type Wanted } from './scan-text.ts'

/** Something that stands where it should not; its value is not among it. */
export interface Leak {
  readonly where: 'house' | 'logs' | 'path' | 'draft' | 'history'
  readonly file: string
  readonly line: number
  readonly kind: string
  /** The first characters of a long token, by which its owner knows it again. */
  readonly begins: string | null
  /** Of the history: which version of the file, and what brought it in. */
  readonly object: string | null
  readonly commit: string | null
  /** By which it is accepted; null for a secret of this house, which never is. */
  readonly id: string | null
}

export interface Scanned {
  readonly leaks: Leak[]
  readonly accepted: number
  readonly files: number
  readonly bytes: number
  readonly binaries: number
  /** What could not be looked at. */
  readonly unread: string[]
}

export interface ScanTarget extends FolderOptions {
  readonly where: 'house' | 'logs' | 'path'
  readonly path: string
}

export interface ScanText {
  readonly where: 'draft'
  readonly file: string
  readonly content: Buffer
}

/** Which tokens show themselves: what stands beside a word such as `password` may be short, and a key of several lines has no beginning of its own. */
const withoutBeginning = /password|access token|private key/
const longEnough = 16
/** Each takes a walk through the history. */
const mostCommits = 20

/** The rendered secrets in every form, and the shapes that detectors know. A file that others can read is searched for all the same. */
export function wantedIn(folder: SecretFolder): Wanted {
  const patterns = [...folder.list().keys()].flatMap((name) => {
    try {
      return knownForms(name, folder.read(name) ?? '')
    } catch {
      return [] // exposed or empty; `castellan secrets status` says so
    }
  })
  return { patterns, finder: compilePatterns(patterns) }
}

/** Looks through folders, the histories of the repositories among them, and texts. */
export async function scanAll(deps: { readonly wanted: Wanted; readonly accepted: AcceptedFindings; readonly history: boolean }, targets: readonly ScanTarget[], texts: readonly ScanText[]): Promise<Scanned> {
  const { wanted, accepted, history } = deps
  const leaks = new Map<string, Leak>()
  const standing = new Set<string>()
  const unread: string[] = []
  let [files, bytes, binaries] = [texts.length, 0, 0]
  const see = (where: Leak['where'], file: string, sighting: Sighting, object: string | null = null) => {
    const id = accepted.idOf(file, sighting.value)
    const what = `${id} ${sighting.kind}`
    const key = `${what} ${object === null ? sighting.line : 'history'}`
    // what still stands in a file need not be told of its history as well
    if (object === null) standing.add(what)
    else if (standing.has(what)) return
    if (!leaks.has(key)) leaks.set(key, { where, file, line: sighting.line, kind: sighting.kind, begins: beginningOf(sighting), object, commit: null, id: sighting.known ? null : id })
  }

  for (const target of targets) {
    const scan = scanTarget(target, wanted)
    for (const { file, sighting } of scan.found) see(target.where, file, sighting)
    unread.push(...scan.unread)
    files += scan.files
    bytes += scan.bytes
    binaries += scan.binaries
    for (const repository of history && target.where !== 'logs' ? scan.repositories : []) {
      const past = await scanHistory(repository, wanted)
      bytes += past.bytes
      files += past.objects
      for (const { file, object, sighting } of past.found) see('history', file.startsWith('message of') ? `${repository}: ${file}` : `${repository}/${file}`, sighting, object)
      await addCommits(repository, leaks)
    }
  }
  for (const { where, file, content } of texts) {
    bytes += content.length
    const text = scanText(wanted)
    for (const sighting of [...(text.feed(content) ?? []), ...text.end()]) see(where, file, sighting)
  }
  const found = [...leaks.values()]
  const open = found.filter(({ id }) => id === null || !accepted.has(id))
  return { leaks: open, accepted: found.length - open.length, files, bytes, binaries, unread }
}

/** A path that is a file itself is looked at as one. */
function scanTarget({ path, without, only }: ScanTarget, wanted: Wanted): FolderScan {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats?.isFile()) {
    const scan = emptyScan()
    scanFile(path, wanted, Buffer.allocUnsafe(1024 * 1024), scan)
    return scan
  }
  return scanFolder(path, wanted, { ...(without && { without }), ...(only && { only }) })
}

async function addCommits(repository: string, leaks: Map<string, Leak>): Promise<void> {
  const commits = new Map<string, string | null>()
  for (const [key, leak] of leaks) {
    if (leak.object === null || leak.commit !== null || relative(repository, leak.file).startsWith('..') || leak.file.includes(': message of')) continue
    if (!commits.has(leak.object) && commits.size < mostCommits) commits.set(leak.object, await commitOf(repository, leak.object))
    leaks.set(key, { ...leak, commit: commits.get(leak.object) ?? null })
  }
}

function beginningOf({ kind, known, value }: Sighting): string | null {
  return known || withoutBeginning.test(kind) || value.length < longEnough ? null : `${value.slice(0, 4)}… (${value.length} characters)`
}
