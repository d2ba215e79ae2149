import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { relative, sep } from 'node:path'
import { Fault } from '../../kernel/fault.ts'
import { describeLevel, toRow, type Label } from '../../labels/index.ts'
import { fenced } from '../fenced.ts'
import type { ToolLog, ToolRun } from '../tool-context.ts'
import { labelOfBytes, type FileLabelDeps } from './file-label.ts'
import type { DeclaredFolder, FileEntry, FileHit, Files } from './files.ts'
import { openFile, openRoot, type Root } from './open-inside.ts'
import { partsOf, type ProtectedPlaces } from './protected-names.ts'
import { walkFiles } from './walk-files.ts'
import { assertWritable, writeWhole } from './write-file.ts'

export interface FilesDeps extends FileLabelDeps {
  readonly folders: readonly DeclaredFolder[]
  readonly places: ProtectedPlaces
  readonly run: Pick<ToolRun, 'id' | 'fence' | 'readsUpTo'>
  label(): Label
  raise(label: Label): void
  readonly signal: AbortSignal
  readonly log: ToolLog
}

const mostReadBytes = 5 * 1024 * 1024
const mostWrittenBytes = 5 * 1024 * 1024
const mostSearchedBytes = 200 * 1024 * 1024

/** The declared folders, for one step of one run. */
export function createFiles(deps: FilesDeps): Files {
  const { folders, run, raise, log } = deps

  function declared(name: string): DeclaredFolder {
    const folder = folders.find((one) => one.name === name)
    if (folder) return folder
    const known = folders.map((one) => one.name).join(', ') || 'none'
    throw new Fault('missing', 'files.folder', `castellan.yaml declares no folder ${JSON.stringify(name)}; it declares: ${known}`)
  }

  const rootOf = (folder: DeclaredFolder) => openRoot(folder.name, folder.path, deps.places)
  const maySee = (label: Label) => label.level <= run.readsUpTo

  async function readBytes(root: Root, path: string): Promise<{ path: string; bytes: Buffer }> {
    const opened = await openFile(root, partsOf(path))
    try {
      const bytes = await readAll(opened.handle, `${path} in ${root.name}`)
      const place = relative(root.real, opened.real).split(sep).join('/')
      return { path: place, bytes }
    } finally {
      await opened.handle.close()
    }
  }

  return {
    folders: () => folders,

    async list({ folder, path = '', recursive = false, limit }) {
      const root = await rootOf(declared(folder))
      const entries: FileEntry[] = []
      for await (const entry of walkFiles(root, partsOf(path), recursive)) {
        deps.signal.throwIfAborted()
        const label = deps.labelOf(folder, entry.path)
        if (!maySee(label)) continue
        if (entries.length === limit) return { entries, truncated: true }
        raise(label)
        entries.push(entry)
      }
      return { entries, truncated: false }
    },

    async read({ folder, path }) {
      const file = await readBytes(await rootOf(declared(folder)), path)
      const label = await labelOfBytes(deps, folder, file.path, file.bytes)
      if (!maySee(label)) {
        throw new Fault('refused', 'files.level', `this file is ${describeLevel(label.level)} and the job reads up to ${describeLevel(run.readsUpTo)}; set reads_up_to in the job if it should`)
      }
      raise(label)
      return { path: file.path, text: file.bytes.toString('utf8'), bytes: file.bytes.length, sha256: sha256(file.bytes).toString('hex') }
    },

    async search({ folder, query, limit }) {
      const root = await rootOf(declared(folder))
      const wanted = query.toLowerCase()
      const hits: FileHit[] = []
      let searched = 0
      for await (const entry of walkFiles(root, [], true)) {
        deps.signal.throwIfAborted()
        if (entry.kind !== 'file' || entry.bytes > mostReadBytes || !maySee(deps.labelOf(folder, entry.path))) continue
        searched += entry.bytes
        if (searched > mostSearchedBytes) return { hits, truncated: true }
        const file = await readBytes(root, entry.path).catch(skip)
        const found = file ? hitsIn(file.path, file.bytes.toString('utf8'), wanted) : []
        if (!file || found.length === 0) continue
        const label = await labelOfBytes(deps, folder, file.path, file.bytes)
        if (!maySee(label)) continue
        raise(label)
        hits.push(...found.slice(0, limit - hits.length))
        if (hits.length === limit) return { hits, truncated: true }
      }
      return { hits, truncated: false }
    },

    async write({ folder, path, text }) {
      const target = declared(folder)
      if (target.access !== 'write') throw new Fault('refused', 'files.read_only', `the folder ${folder} is declared for reading; set access: write in castellan.yaml if tools may change it`)
      const parts = partsOf(path)
      assertWritable(parts)
      const bytes = Buffer.from(text.toWellFormed(), 'utf8')
      if (bytes.length > mostWrittenBytes) throw new Fault('invalid', 'files.size', `a tool writes at most ${mostWrittenBytes} bytes at once, and this is ${bytes.length}`)
      const hash = sha256(bytes)
      const label = deps.label()
      if (label.level > target.label.level) log('warn', `what is written is ${describeLevel(label.level)} and the folder ${folder} is ${describeLevel(target.label.level)}`)
      // first the label, then the file: bytes without their label would be read as what the folder is
      const row = toRow(label)
      await fenced(run.id, () => deps.database.pool.query('select file_written($1, $2, $3, $4, $5, $6)',
        [run.id, run.fence, hash, row.label_level, row.label_integrity, row.label_lanes]))
      await writeWhole(await rootOf(target), parts, bytes)
      return { path: parts.join('/'), bytes: bytes.length, sha256: hash.toString('hex') }
    },
  }
}

async function readAll(handle: FileHandle, shown: string): Promise<Buffer> {
  const { size } = await handle.stat()
  if (size > mostReadBytes) throw new Fault('invalid', 'files.size', `${shown} has ${size} bytes; a tool reads at most ${mostReadBytes}`)
  const buffer = Buffer.alloc(size)
  const { bytesRead } = await handle.read(buffer, 0, size, 0)
  const bytes = buffer.subarray(0, bytesRead)
  if (bytes.subarray(0, 8_192).includes(0)) throw new Fault('invalid', 'files.binary', `${shown} is not text`)
  return bytes
}

function hitsIn(path: string, text: string, wanted: string): FileHit[] {
  return text.split('\n').flatMap((line, index) => (line.toLowerCase().includes(wanted) ? [{ path, line: index + 1, text: line.trim().slice(0, 300) }] : []))
}

/** A file that vanished, is binary or may not be opened is no hit. */
function skip(error: unknown): undefined {
  if (error instanceof Fault && error.kind !== 'unavailable') return undefined
  throw error
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest()
}
