import { Fault } from '../kernel/fault.ts'
import { mayLeave } from '../labels/index.ts'
import type { OutboxDeps } from './change.ts'
import type { Connector } from './connectors/connector.ts'
import { challengeOf, type DraftDocument } from './document.ts'
import type { Draft } from './draft.ts'
import { verifyAssertion } from './keys/assertion.ts'
import type { EnrolledKey, SessionKey } from './keys/enrolled-key.ts'
import type { Proof } from './keys/proof.ts'
import { verifyVouch } from './keys/session-document.ts'
import { scopeRefusal } from './operator-keys.ts'
import { isExposing, sessionMaySign } from './risk.ts'
import { verifySignature } from './signature.ts'

export type ProofDeps = Pick<OutboxDeps, 'keys' | 'site' | 'clock'>
type Provable = Pick<Draft, 'id' | 'kind' | 'document' | 'risk' | 'label'>
interface ProvableBy {
  readonly document: DraftDocument
  readonly connector: Pick<Connector, 'zone'>
}

export interface Occasion {
  readonly decidedAt: Date
  /** It was verified when the operator decided: the counter of a passkey was counted then. */
  readonly again: boolean
}

/**
 * Did an enrolled key that may release this draft sign exactly this draft?
 * @throws Fault `draft.key`, `draft.label`, `draft.passkey_needed`, `draft.signature`; for a passkey `passkey.site`, `passkey.assertion`,
 * `passkey.revoked`; for a session key `session.over`, `session.vouch`, `session.document`
 */
export async function checkProof(deps: ProofDeps, draft: Provable, checked: ProvableBy, proof: Proof, occasion: Occasion): Promise<void> {
  const key = await deps.keys.find(proof.keyId)
  if (!key) throw new Fault('refused', 'draft.key', `key ${proof.keyId} is not enrolled here; enrol it with \`castellan operator\` on this machine`)
  const outOfScope = scopeRefusal(key, checked.document.connector.kind)
  if (outOfScope) throw new Fault('refused', 'draft.key', outOfScope)
  if (key.kind === 'session' && !sessionMaySign(draft)) {
    throw new Fault('refused', 'draft.passkey_needed', `draft ${draft.id} has risk ${draft.risk} and label P${draft.label.level}: sign it with the passkey itself`)
  }
  if (checked.document.kind === 'order.stand' && key.kind !== 'passkey') {
    throw new Fault('refused', 'draft.passkey_needed', `draft ${draft.id} would let acts leave that nobody signs: a standing order takes the passkey itself, on the signing page`)
  }
  checkLabel(checked, draft, key, proof)
  const challenge = challengeOf(draft.document)
  if (key.kind === 'passkey') return checkPasskey(deps, key, proof, challenge, occasion)
  if (key.kind === 'session') await checkSession(deps, key, occasion.decidedAt)
  if (proof.signature === undefined || !verifySignature(key.public_key, challenge, proof.signature)) {
    throw new Fault('refused', 'draft.signature', `the signature by key ${key.id} does not verify: it was made over something else than draft ${draft.id} as it is stored`)
  }
}

function checkLabel({ document, connector }: ProvableBy, draft: Provable, key: EnrolledKey, proof: Proof): void {
  const named = [...document.recipients.to, ...document.recipients.cc, ...document.recipients.bcc]
  const recipients = isExposing(document.kind) && document.label.level === 3 ? [] : named
  const act = {
    keyId: key.id, method: key.kind === 'passkey' ? 'passkey' : 'ed25519', documentHash: challengeOf(draft.document).toString('hex'), label: document.label, recipients,
    signature: proof.signature ?? Buffer.from(proof.assertion.response.signature, 'base64url'),
  } as const
  if (connector.zone !== 'machine' && !mayLeave(document.label, recipients, act)) {
    throw new Fault('refused', 'draft.label', 'P3 local only leaves this machine by passkey only, and only to recipients that are named')
  }
}

async function checkPasskey({ keys, site, clock }: ProofDeps, key: EnrolledKey & { kind: 'passkey' }, { assertion }: Proof, challenge: Buffer, { again }: Occasion): Promise<void> {
  if (assertion === undefined) throw new Fault('refused', 'draft.signature', `key ${key.id} is a passkey, and this is no signature of one`)
  if (again) await verifyAssertion(key, assertion, { ...site(), challenge, counter: 0 })
  else await keys.usePasskey(assertion, challenge, site(), clock.now())
}

/** It signed within its hours, and the passkey that vouches for it still counts. */
async function checkSession({ keys, site }: ProofDeps, key: SessionKey, at: Date): Promise<void> {
  if (at.getTime() < Date.parse(key.from) || at.getTime() >= Date.parse(key.ended_at ?? key.until)) {
    throw new Fault('refused', 'session.over', `session key ${key.id} signs no more: its session is over; open a new one with the passkey`)
  }
  const passkey = await keys.find(key.passkey)
  if (passkey?.kind !== 'passkey') throw new Fault('refused', 'session.vouch', `the passkey that vouched for session key ${key.id} is not enrolled`)
  if (passkey.revoked_at !== null) throw new Fault('refused', 'draft.key', `passkey ${passkey.id}, which vouched for session key ${key.id}, was revoked on ${passkey.revoked_at}`)
  await verifyVouch(key, key.assertion, passkey, site())
}
