import { open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { Fault } from '../kernel/fault.ts'
import { takeProcessLock, type ProcessLock } from '../kernel/process-lock.ts'
import { syncFolder } from './durable-file.ts'

/**
 * `release`: written before the act that cannot be taken back. `undo`: taken back, so that a flipped row cannot bring it back.
 * `replace`: the operator changed it, so that a restored row cannot be signed as it was before.
 * `lost`: in the database when this file was missing or older, so nobody knows. `failed`: it ended, and nothing left.
 * `returned`: after a `release`, the outside world refused the act as a whole for now: the nonce is unspent again.
 * `revoked`: that a clearance, a client's key or a standing order was taken back, of an order after its `release`; `draft` is its id.
 */
const entrySchema = z.strictObject({
  nonce: z.string().regex(/^[0-9a-f]{64}$/),
  draft: z.uuid(),
  /** `origin.item` of the document: the same act of the same run is known again when a restored database freezes it anew. */
  item: z.string(),
  act: z.enum(['release', 'undo', 'replace', 'lost', 'failed', 'returned', 'revoked']),
  at: z.iso.datetime(),
  /** The standing order that approved it, and the how-manieth of which day it was: what was used once stays used. */
  order: z.strictObject({ id: z.uuid(), day: z.iso.date(), n: z.int().positive() }).optional(),
})
export type SpentNonce = z.infer<typeof entrySchema>
export type OrderUse = NonNullable<SpentNonce['order']>

/** The append-only file of the releaser that outlives every database: a nonce in it is never released again. */
export interface SpentNonces {
  /** Entries ever written: it only grows. */
  readonly count: number
  find(nonce: string): SpentNonce | undefined
  /** Those that were written after so many, in their order. */
  since(count: number): readonly SpentNonce[]
  /** Was this act of this run released, or may it have been? */
  released(item: string): SpentNonce | undefined
  /** The newest day of which a use of this order was spent, with the highest number of that day. */
  lastUse(order: string): OrderUse | undefined
  /** The nonce for which this use was spent. */
  usedFor(use: OrderUse): string | undefined
  /**
   * Resolves once the entries are on the disk. Only a `release` is followed by another entry: that it failed, was returned, or revoked.
   * @throws Fault `nonce.spent` for a nonce that is there, `nonce.unwritable` when nothing was recorded, `releaser.replaced`
   * when the file is not this releaser's any more: it must stop
   */
  spend(...entries: readonly SpentNonce[]): Promise<void>
  close(): Promise<void>
}

export interface SpentNoncesOptions {
  /** Tests put a failing disk here. */
  readonly append?: (file: FileHandle, line: Buffer) => Promise<void>
}

/**
 * Opens `spent-nonces.jsonl` in the releaser's folder for this process alone. A last line without its end was torn by a
 * crash before anything was sent, and is cut off.
 * @throws Fault `releaser.running`, `nonce.file`
 */
export async function openSpentNonces(folder: string, { append = appendAndSync }: SpentNoncesOptions = {}): Promise<SpentNonces> {
  const path = join(folder, 'spent-nonces.jsonl')
  const lock = takeProcessLock(`${path}.lock`, (pid) => new Fault('conflict', 'releaser.running', `another releaser (process ${pid}) works with ${path}; stop it first`))
  let file: FileHandle | undefined
  try {
    file = await open(path, 'a+', 0o600)
    const content = await file.readFile()
    const length = content.lastIndexOf(0x0a) + 1
    const entries = parseEntries(path, content.subarray(0, length))
    if (length < content.length) await file.truncate(length)
    await file.sync()
    await syncFolder(folder)
    return create(path, file, entries, length, lock, append)
  } catch (error) {
    await file?.close()
    lock.release()
    throw error
  }
}

function create(
  path: string, file: FileHandle, entries: readonly SpentNonce[], initialLength: number,
  lock: ProcessLock, append: (file: FileHandle, line: Buffer) => Promise<void>,
): SpentNonces {
  const written: SpentNonce[] = []
  const byNonce = new Map<string, SpentNonce>()
  const byItem = new Map<string, SpentNonce>()
  const uses = new Map<string, string>()
  const lastUses = new Map<string, OrderUse>()
  for (const entry of entries) remember(entry)
  let length = initialLength
  let broken: string | undefined
  let last: Promise<unknown> = Promise.resolve()

  async function spend(added: readonly SpentNonce[]): Promise<void> {
    if (broken !== undefined) throw unwritable(broken)
    for (const { nonce, draft, act, order } of added) {
      const known = byNonce.get(nonce)
      if (known?.act === 'release' && known.draft === draft && (act === 'failed' || act === 'returned' || act === 'revoked')) continue
      const other = order && uses.get(nameOf(order))
      if (order && other !== undefined && other !== nonce) throw new Fault('refused', 'nonce.used', `number ${order.n} of ${order.day} of order ${order.id} was used before: this database is older than the file of spent nonces`)
      if (act === 'returned') throw new Fault('internal', 'nonce.unspent', `the nonce of draft ${draft} is not spent, so that nothing can be returned`)
      if (known) throw new Fault('refused', 'nonce.spent', `the nonce of draft ${draft} was spent on ${known.at} (${known.act})`)
    }
    const { size, nlink } = await file.stat()
    if (size !== length || nlink === 0 || !lock.held()) {
      throw new Fault('conflict', 'releaser.replaced', `${path} was taken or changed by somebody else; this releaser stops`)
    }
    const lines = Buffer.from(added.map((entry) => `${JSON.stringify(entrySchema.parse(entry))}\n`).join(''))
    try {
      await append(file, lines)
    } catch (error) {
      // what a failed write or fsync left behind must not look like a spent nonce, nor tear the next one
      broken = `${path} cannot be written; make room on the disk or mend it, then restart the releaser`
      await file.truncate(length).then(() => file.sync()).then(() => (broken = undefined), () => {})
      throw unwritable(`${path} could not be written: ${(error as Error).message}`, error)
    }
    length += lines.length
    for (const entry of added) remember(entry)
  }

  function remember(entry: SpentNonce): void {
    written.push(entry)
    if (entry.act === 'returned') byNonce.delete(entry.nonce)
    else byNonce.set(entry.nonce, entry)
    if (entry.act === 'release' || entry.act === 'lost') byItem.set(entry.item, entry)
    else if ((entry.act === 'failed' || entry.act === 'returned') && byItem.get(entry.item)?.nonce === entry.nonce) byItem.delete(entry.item)
    if (entry.order) rememberUse(entry.order, entry.nonce)
  }

  function rememberUse(use: OrderUse, nonce: string): void {
    uses.set(nameOf(use), nonce)
    const last = lastUses.get(use.id)
    if (last === undefined || use.day > last.day || (use.day === last.day && use.n > last.n)) lastUses.set(use.id, use)
  }

  return {
    get count() {
      return written.length
    },
    find: (nonce) => byNonce.get(nonce),
    since: (count) => written.slice(count),
    released: (item) => byItem.get(item),
    lastUse: (order) => lastUses.get(order),
    usedFor: (use) => uses.get(nameOf(use)),
    spend(...added) {
      const turn = last.then(() => spend(added))
      last = turn.catch(() => {})
      return turn
    },
    async close() {
      await last
      await file.close()
      lock.release()
    },
  }
}

function nameOf({ id, day, n }: OrderUse): string {
  return `${id} ${day} ${n}`
}

function unwritable(why: string, cause?: unknown): Fault {
  return new Fault('unavailable', 'nonce.unwritable', `nothing can leave: ${why}`, {}, cause)
}

function parseEntries(path: string, content: Buffer): SpentNonce[] {
  return content.toString('utf8').split('\n').slice(0, -1).map((line, index) => {
    try {
      return entrySchema.parse(JSON.parse(line))
    } catch (error) {
      throw new Fault('unavailable', 'nonce.file', `line ${index + 1} of ${path} is not an entry: the file was damaged. Nothing can leave until it is restored from a copy`, {}, error)
    }
  })
}

async function appendAndSync(file: FileHandle, line: Buffer): Promise<void> {
  const { bytesWritten } = await file.write(line)
  if (bytesWritten !== line.length) throw new Error('the disk took only a part of the line')
  await file.datasync()
}
