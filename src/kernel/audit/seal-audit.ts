import type { PoolClient } from 'pg'
import type { Database } from '../database/connect.ts'
import { faultPoint } from '../fault-point.ts'
import { Fault } from '../fault.ts'
import { chain, closeBatch, eventsBehind, exactTime, genesis, type ChainedEvent, type SealRecord } from './chain.ts'
import { readHeadFile, writeHeadFile } from './head-file.ts'

export interface SealDeps {
  /** As the releaser. */
  readonly database: Database
  /** Signs a head of 32 bytes with Ed25519. */
  readonly sign: (head: Buffer) => Buffer
  readonly keyId: string
  /** Where the newest head is kept outside the database; see head-file.ts. */
  readonly headFile?: string
  /** Events in a batch at most. */
  readonly batchSize?: number
}

export type SealOutcome =
  | { readonly outcome: 'sealed'; readonly events: number; readonly batch: number; readonly head: string }
  | { readonly outcome: 'nothing' }
  /** Another sealer was first; the events are sealed, by it. */
  | { readonly outcome: 'raced' }

interface LastSeal {
  readonly batch: number
  readonly upto_xid: string
  readonly upto_id: string
  readonly head: Buffer
  /** The highest transaction that this database has begun is behind the seal: it is another cluster than the one that sealed. */
  readonly counter_behind: boolean
}

/**
 * Chains and signs all events of transactions that have ended, batch by batch. An event counts once no older transaction is open,
 * since only then can none come before it any more.
 * @throws Fault `audit.head_mismatch` when the head file knows of seals that the database does not have, `audit.counter_behind`
 */
export async function sealAudit(deps: SealDeps): Promise<SealOutcome> {
  const { batchSize = 5_000, headFile } = deps
  let outcome: SealOutcome = { outcome: 'nothing' }
  for (let events = 0; ; ) {
    const sealed = await sealBatch(deps, batchSize)
    if (sealed === 'raced') return { outcome: 'raced' }
    if (sealed === undefined) return outcome
    events += sealed.events
    outcome = { outcome: 'sealed', events, batch: sealed.batch, head: sealed.head }
    if (headFile !== undefined) writeHeadFile(headFile, { batch: sealed.batch, head: sealed.head })
    if (sealed.events < batchSize) return outcome
  }
}

async function sealBatch({ database, sign, keyId, headFile }: SealDeps, batchSize: number): Promise<{ batch: number; head: string; events: number } | 'raced' | undefined> {
  faultPoint('audit.seal:before')
  const sealed = await database
    .transaction(async (client) => {
      const last = await readLastSeal(client)
      if (headFile !== undefined) await assertKnown(client, headFile, last)
      const { rows } = await client.query<ChainedEvent>({
        name: 'audit_unsealed',
        text: eventsBehind('e.xid < pg_snapshot_xmin(pg_current_snapshot())'),
        values: [last?.upto_xid ?? '0', last?.upto_id ?? '0', batchSize],
      })
      const newest = rows.at(-1)
      if (newest === undefined) return undefined
      const previous = last?.head ?? genesis
      const { rows: clock } = await client.query<{ now: string }>(`select ${exactTime('clock_timestamp()')} as now`)
      const record: SealRecord = { batch: (last?.batch ?? 0) + 1, uptoXid: newest.xid, uptoId: newest.id, events: rows.length, keyId, sealedAt: clock[0]!.now }
      const head = closeBatch(rows.reduce(chain, previous), record)
      await client.query(
        `insert into audit_seal (batch, upto_xid, upto_id, events, previous, head, signature, key_id, sealed_at)
         values ($1, $2::xid8, $3, $4, $5, $6, $7, $8, $9)`,
        [record.batch, record.uptoXid, record.uptoId, record.events, previous, head, sign(head), keyId, record.sealedAt],
      )
      return { batch: record.batch, head: head.toString('hex'), events: rows.length }
    })
    .catch((error: { code?: string; constraint?: string }) => {
      if (error.code === '23505') return 'raced' as const
      throw error
    })
  faultPoint('audit.seal:after')
  return sealed
}

async function readLastSeal(client: PoolClient): Promise<LastSeal | undefined> {
  const { rows } = await client.query<LastSeal>(
    `select batch, upto_xid::text, upto_id::text, head, upto_xid >= pg_snapshot_xmax(pg_current_snapshot()) as counter_behind
     from audit_seal order by batch desc limit 1`,
  )
  const last = rows[0]
  if (last?.counter_behind) {
    throw new Fault('conflict', 'audit.counter_behind', `the audit is sealed up to transaction ${last.upto_xid}, which this database has not reached: it was restored into another PostgreSQL. Restore it with \`castellan restore\`, which moves the counter on`, { upto: last.upto_xid })
  }
  return last
}

/** Going on from an older end would hide that newer seals were there. */
async function assertKnown(client: PoolClient, file: string, last: LastSeal | undefined): Promise<void> {
  const known = readHeadFile(file)
  if (known === undefined) return
  const head =
    last?.batch === known.batch
      ? last.head
      : (await client.query<{ head: Buffer }>('select head from audit_seal where batch = $1', [known.batch])).rows[0]?.head
  if (head?.toString('hex') === known.head) return
  throw new Fault(
    'conflict',
    'audit.head_mismatch',
    `the audit in the database ends before, or differs from, what was sealed (batch ${known.batch}, see ${file}): its end was removed, or an older backup was restored. If you restored it yourself, keep ${file} under another name; a new one begins at the next seal`,
    { known: known.batch, found: last?.batch ?? 0 },
  )
}
