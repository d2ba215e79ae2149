import { verify, type KeyObject } from 'node:crypto'
import type { PoolClient } from 'pg'
import type { Database } from '../database/connect.ts'
import { chain, closeBatch, eventsBehind, exactTime, genesis, type ChainedEvent } from './chain.ts'
import type { KnownHead } from './head-file.ts'

export interface VerifyDeps {
  /** As the releaser, the server, or the owner. */
  readonly database: Database
  /** The Ed25519 public keys that seals were signed with, by their id. */
  readonly keys: ReadonlyMap<string, KeyObject>
  /** From the head file; without it, nobody notices when whole batches are missing at the end. */
  readonly known?: KnownHead | undefined
}

export interface Verification {
  readonly ok: boolean
  /** Events that are sealed and as they were when they were. */
  readonly sealed: number
  readonly batches: number
  /** Events behind the last seal: nothing protects them yet. */
  readonly unsealed: { readonly count: number; readonly oldest: Date | null }
  /** The first batch that is not as it was sealed; nothing is said of those after it. */
  readonly problem?: { readonly batch: number; readonly what: string }
}

interface Seal {
  readonly batch: number
  readonly upto_xid: string
  readonly upto_id: string
  readonly events: number
  readonly previous: Buffer
  readonly head: Buffer
  readonly signature: Buffer
  readonly key_id: string
  readonly sealed_at: string
}

interface Progress {
  sealed: number
  batches: number
  head: Buffer
  upto: { xid: string; id: string }
}

/** Up to where the chain was found whole. */
export type Verified = Readonly<Progress>

const page = 5_000

/** Recomputes the whole chain from its beginning, in constant memory and from one snapshot. */
export async function verifyAudit({ database, keys, known }: VerifyDeps): Promise<Verification> {
  return database.transaction(async (client) => {
    await client.query('set transaction isolation level repeatable read, read only')
    const progress = beginning()
    const problem = await verifySeals(client, keys, known, progress)
    const { rows } = await client.query<{ count: number; oldest: Date | null }>(
      `select count(*), min(at) as oldest from audit_event
       where not exists (select 1 from audit_seal) or (xid, id) > (select upto_xid, upto_id from audit_seal order by batch desc limit 1)`,
    )
    const { sealed, batches } = progress
    return { ok: problem === undefined, sealed, batches, unsealed: rows[0]!, ...(problem && { problem }) }
  })
}

/**
 * Recomputes what was sealed since a verification, or all of it without one. Whoever altered what lies before is found by the next
 * whole verification, and at once when he altered the seal that this one begins behind.
 */
export async function verifyAuditSince({ database, keys, known }: VerifyDeps, since: Verified | undefined): Promise<{ readonly problem?: Verification['problem']; readonly verified: Verified }> {
  return database.transaction(async (client) => {
    await client.query('set transaction isolation level repeatable read, read only')
    const progress = { ...(since ?? beginning()) }
    if (since !== undefined && since.batches > 0) {
      const { rows } = await client.query<{ head: Buffer }>('select head from audit_seal where batch = $1', [since.batches])
      if (rows[0]?.head.equals(since.head) !== true) return { problem: { batch: since.batches, what: 'its seal was verified before, and is missing or another one now' }, verified: since }
    }
    const problem = await verifySeals(client, keys, known, progress)
    return { verified: progress, ...(problem && { problem }) }
  })
}

function beginning(): Progress {
  return { sealed: 0, batches: 0, head: genesis, upto: { xid: '0', id: '0' } }
}

async function verifySeals(client: PoolClient, keys: VerifyDeps['keys'], known: KnownHead | undefined, progress: Progress): Promise<Verification['problem']> {
  for await (const seal of readSeals(client, progress.batches)) {
    const what = await verifyBatch(client, seal, keys, progress)
    if (what !== undefined) return { batch: progress.batches + 1, what }
    if (known?.batch === seal.batch && known.head !== seal.head.toString('hex')) {
      return { batch: seal.batch, what: 'the head file on this machine knows another head for this batch: the chain was rewritten' }
    }
    progress.batches = seal.batch
    progress.sealed += seal.events
  }
  if (known !== undefined && known.batch > progress.batches) {
    return { batch: progress.batches + 1, what: `missing: the head file on this machine knows batches up to ${known.batch}` }
  }
  return undefined
}

async function verifyBatch(client: PoolClient, seal: Seal, keys: VerifyDeps['keys'], progress: Progress): Promise<string | undefined> {
  const expected = progress.batches + 1
  if (seal.batch !== expected) return `its seal is missing; the next one is of batch ${seal.batch}`
  if (!seal.previous.equals(progress.head)) return 'its seal does not follow from the batch before it'
  const key = keys.get(seal.key_id)
  if (key === undefined) return `its seal is signed with key ${seal.key_id}, which is not known here`
  if (!verify(null, seal.head, key, seal.signature)) return `the signature of its seal is not one of key ${seal.key_id}`
  let { head } = progress
  let events = 0
  for await (const event of readEvents(client, progress.upto, seal)) {
    head = chain(head, event)
    events++
  }
  if (events !== seal.events) return `it has ${events} events, and ${seal.events} were sealed: events were removed or inserted`
  const { batch, upto_xid: uptoXid, upto_id: uptoId, key_id: keyId, sealed_at: sealedAt } = seal
  if (!closeBatch(head, { batch, uptoXid, uptoId, events, keyId, sealedAt }).equals(seal.head)) {
    return 'its events or its seal are not as they were sealed: something in them was altered or exchanged'
  }
  progress.head = seal.head
  progress.upto = { xid: uptoXid, id: uptoId }
  return undefined
}

/** From the beginning also those that cannot be: a seal of batch -1 is from nowhere. */
async function* readSeals(client: PoolClient, behind: number): AsyncGenerator<Seal> {
  for (let after: string | number = behind === 0 ? '-9223372036854775808' : behind; ; ) {
    const { rows }: { rows: Seal[] } = await client.query<Seal>(
      `select batch, upto_xid::text, upto_id::text, events, previous, head, signature, key_id, ${exactTime('sealed_at')} as sealed_at
       from audit_seal where batch > $1 order by batch limit $2`,
      [after, page],
    )
    yield* rows
    if (rows.length < page) return
    after = rows.at(-1)!.batch
  }
}

async function* readEvents(client: PoolClient, from: { xid: string; id: string }, to: Seal): AsyncGenerator<ChainedEvent> {
  for (let { xid, id } = from; ; ) {
    const { rows } = await client.query<ChainedEvent>({
      name: 'audit_verify',
      text: eventsBehind('(e.xid, e.id) <= ($4::xid8, $5::bigint)'),
      values: [xid, id, page, to.upto_xid, to.upto_id],
    })
    yield* rows
    const last = rows.at(-1)
    if (last === undefined || rows.length < page) return
    ;({ xid, id } = last)
  }
}
