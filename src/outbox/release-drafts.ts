import { Fault, toFault } from '../kernel/fault.ts'
import { faultPoint } from '../kernel/fault-point.ts'
import { newId } from '../kernel/ids.ts'
import { change, settle, type OutboxDeps } from './change.ts'
import { checkProof } from './check-proof.ts'
import type { Receipt } from './connectors/connector.ts'
import { lastRelease, mayMove, type Draft } from './draft.ts'
import { findApproval, lockDraft, moveDraft, openDelivery, overdueDrafts, recordSpentCount } from './draft-store.ts'
import { spentBefore } from './spent-before.ts'
import { undoDraft } from './undo-draft.ts'
import { checkDraft, type Checked } from './verify-draft.ts'

/** A connector that has not answered by then is given up; whether the bytes left stays open. In milliseconds. */
const deliveryTimeoutMs = 120_000

/**
 * Releases every draft whose hold is over, or those of one connector, one after the other. `astray`: a release ended without a record; `recoverDrafts`
 * finds out how.
 * @throws Fault `releaser.replaced`: this releaser must stop
 */
export async function releaseDrafts(deps: OutboxDeps, signal?: AbortSignal, connector?: string): Promise<{ released: number; astray: boolean }> {
  const outcome = { released: 0, astray: false }
  for (const id of await overdueDrafts(deps.database.pool, 'held', deps.clock.now(), connector)) {
    if (signal?.aborted) break
    try {
      if ((await releaseDraft(deps, id)) === 'released') outcome.released += 1
    } catch (error) {
      if (toFault(error).code === 'releaser.replaced') throw error
      deps.log.error({ err: error, draft: id }, 'a release ended without a record')
      outcome.astray = true
    }
  }
  return outcome
}

type Begun =
  | { readonly step: 'deliver'; readonly draft: Draft; readonly checked: Checked }
  | { readonly step: 'undo' }
  | { readonly step: 'none' }

/**
 * Carries one signed draft out, once. What may come apart in a crash comes in this order: the row says `releasing`, the
 * nonce is on the disk, the bytes leave, the row says `released`.
 */
export async function releaseDraft(deps: OutboxDeps, id: string): Promise<'released' | 'failed' | 'unknown' | 'undone' | 'none'> {
  const begun = await begin(deps, id)
  if (begun.step === 'undo') {
    await undoDraft(deps, id)
    return 'undone'
  }
  if (begun.step !== 'deliver') return 'none'
  const { draft, checked } = begun

  try {
    faultPoint('nonce.spend:before')
    await deps.spent.spend({ nonce: draft.nonce, draft: id, item: checked.document.origin.item, act: 'release', at: deps.clock.now().toISOString() })
    faultPoint('nonce.spend:after')
  } catch (error) {
    const fault = toFault(error)
    if (fault.code !== 'nonce.unwritable') throw error
    return finish(deps, id, 'failed', { reason: `${fault.message}; nothing was sent` })
  }
  // before the bytes leave: from here on a copy of the file without this nonce is known to be too old
  await recordSpentCount(deps.database.pool, deps.spent.count)

  let receipt: Receipt
  try {
    faultPoint('connector.deliver:before')
    receipt = await checked.connector.deliver(draft.wire, checked.document, AbortSignal.timeout(deliveryTimeoutMs))
    faultPoint('connector.deliver:after')
  } catch (error) {
    return finishFailed(deps, draft, checked, toFault(error))
  }
  return finish(deps, id, 'released', { receipt })
}

/** Everything is verified again, over what the database holds now, before the row says `releasing`. */
async function begin(deps: OutboxDeps, id: string): Promise<Begun> {
  return change(deps, 'draft.releasing', async (transaction): Promise<Begun> => {
    const { client, now, audit } = transaction
    const draft = await lockDraft(client, id)
    if (draft?.state !== 'held' || draft.holdUntil === null || now < draft.holdUntil) return { step: 'none' }
    const spent = deps.spent.find(draft.nonce)
    if (spent?.act === 'undo') return { step: 'undo' }
    const reason = spentBefore(deps.spent, draft)
    if (reason !== undefined) {
      await settle(transaction, draft, 'unknown', { reason })
      return { step: 'none' }
    }
    try {
      const last = lastRelease(draft.expiresAt, deps.settings().holdMs)
      if (now >= last) throw new Fault('refused', 'draft.expired', `it was signed, but could not leave before ${last.toISOString()}`)
      const checked = checkDraft(draft, deps.connectors())
      const approval = await findApproval(client, id)
      if (!approval) throw new Fault('refused', 'draft.signature', 'nobody signed it')
      await checkProof(deps, draft, checked, approval.proof, { decidedAt: approval.decidedAt, again: true })
      await moveDraft(client, id, 'releasing')
      await openDelivery(client, { id: newId(), draft: id, nonce: draft.nonce, at: now })
      await audit('draft.releasing', id, { nonce: draft.nonce, sha256: checked.document.wire.sha256 })
      return { step: 'deliver', draft, checked }
    } catch (error) {
      if (!(error instanceof Fault) || error.kind !== 'refused') throw error
      await settle(transaction, draft, 'failed', { reason: `not sent: ${error.message}` })
      return { step: 'none' }
    }
  })
}

async function finishFailed(deps: OutboxDeps, draft: Draft, { document, connector }: Checked, fault: Fault): Promise<'released' | 'failed' | 'unknown'> {
  deps.log.warn({ err: fault, draft: draft.id }, 'a connector did not deliver')
  if (fault.code === 'connector.not_sent') return finish(deps, draft.id, 'failed', { reason: `not sent: ${fault.message}` })
  const receipt = await connector.reconcile?.(draft.wire, document).catch(() => undefined)
  if (receipt) return finish(deps, draft.id, 'released', { receipt })
  return finish(deps, draft.id, 'unknown', { reason: `nobody knows whether it was sent: ${fault.message}` })
}

/** Records how the release ended. */
async function finish<S extends 'released' | 'failed' | 'unknown'>(
  deps: OutboxDeps, id: string, state: S, outcome: { reason?: string; receipt?: Receipt },
): Promise<S> {
  return change(deps, `draft.${state}`, async (transaction) => {
    const draft = await lockDraft(transaction.client, id)
    if (!draft || !mayMove(draft.state, state)) {
      throw new Fault('conflict', 'draft.moved', `draft ${id} was ${state}, but somebody else made it ${draft?.state ?? 'nothing'} meanwhile`)
    }
    await settle(transaction, draft, state, outcome)
    return state
  })
}
