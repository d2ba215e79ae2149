import type { KeyScope } from '../signature.ts'
import type { EnrolledKey } from './enrolled-key.ts'

/** A key in a list: which it is and what it may, nothing that one would sign or verify with. */
export interface KeyView {
  readonly id: string
  readonly kind: EnrolledKey['kind']
  readonly name: string
  readonly scope: KeyScope
  readonly enrolled_at: string
  readonly last_used_at: string | null
  readonly revoked_at: string | null
  /** Of a session key: when it ends, and which passkey vouches for it. */
  readonly until: string | null
  readonly passkey: string | null
  /** Of a passkey: the name that it was enrolled for. */
  readonly rp_id: string | null
}

/** @param signed when each key last signed a draft */
export function viewKey(key: EnrolledKey, signed: ReadonlyMap<string, Date>): KeyView {
  const times = [signed.get(key.id)?.toISOString(), key.kind === 'passkey' ? key.last_used_at : null].filter((time) => typeof time === 'string')
  return {
    id: key.id, kind: key.kind, name: key.name, scope: key.kind === 'ed25519' ? key.scope : 'operator',
    enrolled_at: key.enrolled_at, last_used_at: times.sort().at(-1) ?? null, revoked_at: key.revoked_at,
    until: key.kind === 'session' ? (key.ended_at ?? key.until) : null,
    passkey: key.kind === 'session' ? key.passkey : null,
    rp_id: key.kind === 'passkey' ? key.rp_id : null,
  }
}
