import type { ImapFlow } from 'imapflow'
import { Fault } from '../../kernel/fault.ts'
import { faultPoint } from '../../kernel/fault-point.ts'
import { fetchInPieces, fetchSmall, listAnnounced, type Announced } from './fetch-messages.ts'
import type { MirrorLimits } from './imap-limits.ts'
import type { MirrorStore, Refused } from './mirror-store.ts'

/** What was being fetched, kept across sessions: which message breaks them is found by asking for fewer. */
export interface Caution {
  inFlight: readonly Announced[]
  /** Up to this number, messages are asked for one by one. */
  singlyUpTo: number
  /** Not asked for any more, with the reason. */
  readonly unreadable: Map<number, string>
}

export interface MirrorRound {
  readonly client: ImapFlow
  readonly folder: string
  readonly store: MirrorStore
  readonly limits: MirrorLimits
  readonly caution: Caution
  /** The server has named its messages anew; everything is looked at again. */
  onAnew(): void
  onKnownRefusals(refused: readonly Refused[]): void
  refuse(uid: number, reason: string): Promise<void>
}

const highestNumber = 2 ** 32 - 1

/**
 * Brings the mirror of one folder up to what the server has now, by rising number. How far it has come is stored after the
 * messages, so that it goes on there after any end. @returns how many messages are new
 */
export async function mirrorFolder(round: MirrorRound): Promise<number> {
  const { client, folder, store, limits } = round
  // read only, so that nothing is marked as read; asked each time, because names of messages can change while a session lasts
  const opened = await client.mailboxOpen(folder, { readOnly: true })
  if (!opened.uidValidity) throw new Fault('refused', 'imap.uidvalidity', `the server does not name the messages of ${folder} for good (no UIDVALIDITY), so they cannot be mirrored`)
  const highest = opened.exists === 0 ? (opened.uidNext ?? 1) - 1 : await highestUid(client, opened.uidNext)
  const { uid, anew, refused } = await store.begin({ uidvalidity: opened.uidValidity, highest })
  if (anew) round.onAnew()
  else round.onKnownRefusals(refused)
  if (opened.exists === 0) return 0
  let stored = 0
  let width = limits.window
  for (let from = uid + 1; from <= highest; ) {
    const to = Math.min(highest, from + width - 1)
    const announced = await listAnnounced(client, from, to, limits.window)
    if (announced === undefined) {
      // after a gap, more than are looked through at once
      width = limits.window
      continue
    }
    for (const batch of batches(announced, round)) stored += await take(round, batch)
    width = announced.length === 0 ? Math.min(width * 4, highestNumber) : limits.window
    from = to + 1
  }
  return stored
}

async function highestUid(client: ImapFlow, next: number | undefined): Promise<number> {
  if (next !== undefined && next > 0 && next <= highestNumber + 1) return next - 1
  const last = await client.fetchOne('*', { uid: true })
  return last ? last.uid : 0
}

/** Small messages together, each large one and each that deserves caution by itself. */
function* batches(announced: readonly Announced[], { limits, caution }: MirrorRound): Generator<Announced[]> {
  let batch: Announced[] = []
  let bytes = 0
  for (const one of announced) {
    const alone = one.size >= limits.piece || one.uid <= caution.singlyUpTo
    if (batch.length > 0 && (alone || batch.length >= limits.batch || bytes + one.size > limits.held)) {
      yield batch
      batch = []
      bytes = 0
    }
    if (alone) yield [one]
    else {
      batch.push(one)
      bytes += one.size
    }
  }
  if (batch.length > 0) yield batch
}

async function take(round: MirrorRound, batch: readonly Announced[]): Promise<number> {
  const { client, store, limits, caution } = round
  const readable: Announced[] = []
  for (const one of batch) {
    const why = caution.unreadable.get(one.uid) ?? (one.size > limits.message ? tooLarge(one.size, limits) : undefined)
    if (why === undefined) readable.push(one)
    else await round.refuse(one.uid, why)
  }
  caution.inFlight = readable
  const large = readable.filter(({ size }) => size >= limits.piece)
  const small = readable.filter(({ size }) => size < limits.piece)
  faultPoint('mail.store:before')
  const first = small.length > 0 ? await fetchSmall(client, store, small, limits) : { stored: 0, larger: [], missing: [] }
  let { stored } = first
  // by rising number, for each that is stored says that all before it were dealt with
  const rest = [...large, ...first.larger, ...first.missing].sort((a, b) => a.uid - b.uid)
  for (const one of rest) stored += await takeLarge(round, one)
  faultPoint('mail.store:stored')
  await store.advance(batch.at(-1)!.uid)
  faultPoint('mail.store:after')
  caution.inFlight = []
  return stored
}

async function takeLarge(round: MirrorRound, one: Announced): Promise<number> {
  const { client, store, limits } = round
  const taken = await fetchInPieces(client, store, one, limits)
  switch (taken.outcome) {
    case 'stored':
      return taken.stored
    case 'too_large':
      await round.refuse(one.uid, tooLarge(taken.bytes, limits))
      return 0
    case 'gone': {
      // deleted meanwhile, which is no loss; or listed and not handed out, which must be seen
      const still = await listAnnounced(client, one.uid, one.uid, 1)
      if (still?.length !== 0) await round.refuse(one.uid, 'the server lists it and does not hand it out')
      return 0
    }
  }
}

function tooLarge(bytes: number, { message }: MirrorLimits): string {
  return `it has ${bytes} bytes or more, and a message may have ${message}`
}
