import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'

/** Every column of an event that the chain covers; numbers that JavaScript cannot hold exactly are text. */
export interface ChainedEvent {
  readonly id: string
  readonly xid: string
  /** UTC in microseconds, as PostgreSQL keeps it. */
  readonly at: string
  readonly actor: string
  readonly kind: string
  readonly subject: string
  readonly detail: unknown
  readonly label: { readonly level: number; readonly integrity: string; readonly lanes: readonly string[] }
}

/** What a seal says of its batch, besides the heads. */
export interface SealRecord {
  readonly batch: number
  readonly uptoXid: string
  readonly uptoId: string
  readonly events: number
  readonly keyId: string
  readonly sealedAt: string
}

/** What the first batch is chained to. */
export const genesis = sha256('castellan audit chain, version 1')

const microseconds = `'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'`

/** SQL for a timestamptz in full precision. */
export function exactTime(column: string): string {
  return `to_char(${column} at time zone 'UTC', ${microseconds})`
}

/** SQL for the events behind ($1 xid, $2 id), at most $3, in the order of the chain. */
export function eventsBehind(condition = 'true'): string {
  return `
    select e.id::text, e.xid::text, ${exactTime('e.at')} as at, e.actor, e.kind, e.subject, e.detail,
      jsonb_build_object('level', e.label_level, 'integrity', e.label_integrity, 'lanes', e.label_lanes) as label
    from audit_event e where (e.xid, e.id) > ($1::xid8, $2::bigint) and ${condition} order by e.xid, e.id limit $3`
}

/** The next link: SHA-256 over the head so far and the event's canonical JSON (RFC 8785). */
export function chain(head: Buffer, event: ChainedEvent): Buffer {
  return sha256(head, canonicalize(event)!)
}

/** The head of a finished batch covers the seal's own words too, so that none of them can be changed under its signature. */
export function closeBatch(head: Buffer, seal: SealRecord): Buffer {
  return sha256(head, canonicalize(seal)!)
}

function sha256(...parts: (Buffer | string)[]): Buffer {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}
