import { Fault, toFault } from '../kernel/fault.ts'
import { newId } from '../kernel/ids.ts'
import { change, settle, type OutboxDeps } from './change.ts'
import { challengeOf } from './document.ts'
import { decide, type TooLate } from './draft.ts'
import { insertDecision, lockDraft, moveDraft } from './draft-store.ts'
import { checkProof } from './check-proof.ts'
import type { Assertion } from './keys/assertion.ts'
import type { Proof } from './keys/proof.ts'
import { putAside } from './spent-before.ts'
import { checkDraft } from './verify-draft.ts'

/** A denial needs no signature: it can only keep something in. */
export type DecisionRequest =
  | ({ readonly verdict: 'approve'; readonly reason?: string | undefined; /** Of what was shown, in hex. */ readonly challenge?: string | undefined } & Signed)
  | { readonly verdict: 'deny'; readonly reason?: string | undefined }

type Signed = { readonly keyId: string; /** base64 */ readonly signature: string } | { readonly assertion: Assertion }

export type DecisionOutcome = { readonly outcome: 'decided'; readonly state: 'held' | 'denied'; readonly holdUntil: Date | undefined } | TooLate

/**
 * Records what the operator decided, with all that follows from it, in one transaction. The second decision finds the first.
 * @throws Fault `draft.missing`; `draft.changed`, `draft.altered`, `draft.document`, `draft.connector` and all of `checkProof`, after
 * each of which the draft waits on
 */
export async function decideDraft(deps: OutboxDeps, id: string, request: DecisionRequest): Promise<DecisionOutcome> {
  try {
    return await decideOnce(deps, id, request)
  } catch (error) {
    const fault = toFault(error)
    // somebody tried to release what he may not: that is worth more than a log line
    if (fault.kind === 'refused') {
      deps.onRefused?.(fault, undefined, 'decide')
      await change(deps, 'draft.refuse', ({ audit }) => audit('draft.refused', id, { code: fault.code, verdict: request.verdict }))
    }
    throw fault
  }
}

async function decideOnce(deps: OutboxDeps, id: string, request: DecisionRequest): Promise<DecisionOutcome> {
  return change(deps, 'draft.decide', async (transaction) => {
    const { client, now, audit } = transaction
    const draft = await lockDraft(client, id)
    if (!draft) throw new Fault('missing', 'draft.missing', `there is no draft ${id}`)
    const decision = decide(draft, request.verdict, now, deps.settings().holdMs)
    if (decision.outcome === 'too_late') return decision
    const reason = request.reason === undefined ? {} : { reason: request.reason }
    if (request.verdict === 'deny') {
      await insertDecision(client, { id: newId(), draft: id, verdict: 'deny', at: now, ...reason })
      await settle(transaction, draft, 'denied', { words: request.reason })
      return decision
    }
    const aside = await putAside(deps, transaction, draft)
    // an edit that a crash lost is no replay: it waits again in the words from before it
    if (aside?.was === 'unknown') deps.onRefused?.(new Fault('refused', 'nonce.spent', `draft ${id} was spent before`), draft.connector, 'decide')
    if (aside) return aside
    const challenge = challengeOf(draft.document).toString('hex')
    if (request.challenge !== undefined && request.challenge !== challenge) {
      throw new Fault('conflict', 'draft.changed', `draft ${id} is not what was shown; look at it again`)
    }
    const checked = checkDraft(draft, deps.connectors())
    const proof = await proofOf(deps, request)
    await checkProof(deps, draft, checked, proof, { decidedAt: now, again: false })
    await insertDecision(client, { id: newId(), draft: id, verdict: 'approve', ...proof, at: now, ...reason })
    await moveDraft(client, id, 'signed')
    await moveDraft(client, id, 'held', { holdUntil: decision.holdUntil! })
    await audit('draft.decided', id, { verdict: 'approve', key: proof.keyId, challenge, sha256: checked.document.wire.sha256, hold_until: decision.holdUntil })
    return decision
  })
}

async function proofOf({ keys }: OutboxDeps, signed: Signed): Promise<Proof> {
  if ('signature' in signed) return { keyId: signed.keyId, signature: Buffer.from(signed.signature, 'base64') }
  const passkey = await keys.findPasskey(signed.assertion.id)
  if (!passkey) throw new Fault('refused', 'draft.key', 'this passkey is not enrolled here; `castellan operator enroll --passkey` enrols one')
  return { keyId: passkey.id, assertion: signed.assertion }
}
