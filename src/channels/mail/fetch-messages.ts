import type { ImapFlow } from 'imapflow'
import type { MirrorLimits } from './imap-limits.ts'
import type { FetchedMessage, MirrorStore } from './mirror-store.ts'

/** What the server says of a message before it is fetched; all of it may be untrue. */
export interface Announced {
  readonly uid: number
  /** Bytes. */
  readonly size: number
  readonly receivedAt: Date
}

/**
 * Messages with numbers from `from` to `to`, by rising number, each once; what was not asked for does not count.
 * @returns undefined when there are more than `most`
 */
export async function listAnnounced(client: ImapFlow, from: number, to: number, most: number): Promise<Announced[] | undefined> {
  const found = new Map<number, Announced>()
  for await (const { uid, size, internalDate } of client.fetch(`${from}:${to}`, { uid: true, size: true, internalDate: true }, { uid: true })) {
    if (!Number.isSafeInteger(uid) || uid < from || uid > to) continue
    if (found.size === most && !found.has(uid)) return undefined
    found.set(uid, { uid, size: size ?? 0, receivedAt: readDate(internalDate) })
  }
  return [...found.values()].sort((a, b) => a.uid - b.uid)
}

function readDate(date: Date | string | undefined): Date {
  const read = new Date(date ?? Number.NaN)
  const year = read.getUTCFullYear()
  return year >= 1970 && year <= 9999 ? read : new Date(0)
}

/**
 * Fetches small messages with one command and stores them, never holding much more than the limit.
 * @returns what was stored, which turned out larger than announced, and which the server did not hand out
 */
export async function fetchSmall(
  client: ImapFlow, store: MirrorStore, wanted: readonly Announced[], limits: MirrorLimits,
): Promise<{ stored: number; larger: Announced[]; missing: Announced[] }> {
  const byUid = new Map(wanted.map((one) => [one.uid, one]))
  const seen = new Set<number>()
  const larger: Announced[] = []
  let held: FetchedMessage[] = []
  let bytes = 0
  let stored = 0
  const keep = async () => {
    if (held.length > 0) stored += await store.store(held)
    held = []
    bytes = 0
  }
  const uids = wanted.map(({ uid }) => uid).join(',')
  for await (const { uid, source } of client.fetch(uids, { uid: true, source: { start: 0, maxLength: limits.piece } }, { uid: true })) {
    const announced = byUid.get(uid)
    if (!announced || !isBody(source, announced)) continue
    seen.add(uid)
    if (source.length >= limits.piece) {
      if (!larger.includes(announced)) larger.push(announced)
      continue
    }
    held.push({ uid, receivedAt: announced.receivedAt, raw: source })
    bytes += source.length
    if (bytes >= limits.held || held.length >= limits.batch) await keep()
  }
  await keep()
  return { stored, larger, missing: wanted.filter(({ uid }) => !seen.has(uid)) }
}

/** A server that cannot read a message answers with nothing, and not with an error. */
function isBody(source: Buffer | undefined, { size }: Announced): source is Buffer {
  return Buffer.isBuffer(source) && (source.length > 0 || size === 0)
}

export type InPieces = { readonly outcome: 'stored'; readonly stored: number } | { readonly outcome: 'gone' } | { readonly outcome: 'too_large'; readonly bytes: number }

/** Fetches a message piece by piece into the database, so that its size does not count here. What it says about its size is not believed. */
export async function fetchInPieces(client: ImapFlow, store: MirrorStore, announced: Announced, limits: MirrorLimits): Promise<InPieces> {
  await store.dropPieces()
  let bytes = 0
  for (let part = 0; ; part += 1) {
    const source = await fetchPiece(client, announced.uid, bytes, limits.piece)
    if (source === undefined || (part === 0 && !isBody(source, announced))) {
      await store.dropPieces()
      return { outcome: 'gone' }
    }
    bytes += source.length
    if (bytes > limits.message) {
      await store.dropPieces()
      return { outcome: 'too_large', bytes }
    }
    await store.putPiece(announced.uid, part, source)
    if (source.length < limits.piece) return { outcome: 'stored', stored: await store.storePieces(announced.uid, announced.receivedAt, bytes) }
  }
}

async function fetchPiece(client: ImapFlow, uid: number, start: number, maxLength: number): Promise<Buffer | undefined> {
  let piece: Buffer | undefined
  for await (const found of client.fetch(String(uid), { uid: true, source: { start, maxLength } }, { uid: true })) {
    if (found.uid === uid && Buffer.isBuffer(found.source)) piece ??= found.source
  }
  return piece
}
