import { Fault, toFault } from '../kernel/fault.ts'
import { faultPoint } from '../kernel/fault-point.ts'
import { newId } from '../kernel/ids.ts'
import { change, settle, type Ending, type OutboxDeps } from './change.ts'
import { checkProof } from './check-proof.ts'
import { holdForRoom } from './connector-limits.ts'
import type { Connector, Receipt } from './connectors/connector.ts'
import { checkUse } from './orders/check-order.ts'
import { mayHaveLeft, noteMayHaveLeft } from './delivery-store.ts'
import { trailOf } from './delivery-trail.ts'
import { findFence } from './fence/fence.ts'
import { lastRelease, mayMove, type Draft, type DraftState } from './draft.ts'
import { countTry, dueConnectors, findApproval, lockDraft, moveDraft, openDelivery, overdueDrafts, raiseSpentCount, type Approval, type Queryable } from './draft-store.ts'
import { wantSentCopy } from './sent-copy-store.ts'
import { spentBefore } from './spent-before.ts'
import type { SpentNonce } from './spent-nonces.ts'
import { undoDraft } from './undo-draft.ts'
import { checkDraft, type Checked } from './verify-draft.ts'

/** A connector that has not answered by then is given up; whether the bytes left stays open. In milliseconds. */
const deliveryTimeoutMs = 120_000

/** How long after each try that sent nothing, or may be made again, the next one comes, in milliseconds. After the last the draft failed, or nobody knows. */
export const retryAfterMs: readonly number[] = [15_000, 120_000, 600_000]

const open = 'nobody knows whether it was sent'

export interface Released {
  released: number
  /** A release ended without a record; `recoverDrafts` finds out how. */
  astray: boolean
}

/**
 * Releases every draft whose hold is over, or those of one connector: those of one connector one after the other, those of
 * several side by side, so that a server that does not answer keeps only its own waiting.
 * @throws Fault `releaser.replaced`: this releaser must stop
 */
export async function releaseDrafts(deps: OutboxDeps, signal?: AbortSignal, connector?: string): Promise<Released> {
  const outcome: Released = { released: 0, astray: false }
  const ways = connector === undefined ? await dueConnectors(deps.database.pool, deps.clock.now()) : [connector]
  await Promise.all(ways.map((way) => releaseInTurn(deps, way, outcome, signal)))
  return outcome
}

/** After one that has to be tried again the others of that connector wait for the next round: the server is not well. */
async function releaseInTurn(deps: OutboxDeps, connector: string, outcome: Released, signal?: AbortSignal): Promise<void> {
  for (const id of await overdueDrafts(deps.database.pool, 'held', deps.clock.now(), connector)) {
    if (signal?.aborted) return
    try {
      const end = await releaseDraft(deps, id)
      if (end === 'released') outcome.released += 1
      if (end === 'held') return
    } catch (error) {
      if (toFault(error).code === 'releaser.replaced') throw error
      deps.log.error({ err: error, draft: id }, 'a release ended without a record')
      outcome.astray = true
    }
  }
}

type Begun =
  | { readonly step: 'deliver'; readonly draft: Draft; readonly checked: Checked; readonly approval: Approval; readonly tries: number }
  | { readonly step: 'undo'; readonly reason?: string }
  | { readonly step: 'none' }

/**
 * Carries one signed draft out, once. What may come apart in a crash comes in this order: the row says `releasing`, the
 * connector goes as far as can be taken back, the nonce is on the disk, the bytes leave, the row says `released`.
 */
export async function releaseDraft(deps: OutboxDeps, id: string): Promise<'released' | 'failed' | 'unknown' | 'held' | 'undone' | 'none'> {
  const begun = await begin(deps, id)
  if (begun.step === 'undo') {
    await undoDraft(deps, id, begun.reason)
    return 'undone'
  }
  if (begun.step !== 'deliver') return 'none'
  const { draft, checked, approval } = begun
  let receipt: Receipt
  try {
    faultPoint('connector.deliver:before')
    receipt = await checked.connector.deliver(draft.wire, checked.document, AbortSignal.timeout(deliveryTimeoutMs), () => commit(deps, draft, checked, approval))
    faultPoint('connector.deliver:after')
  } catch (error) {
    return finishFailed(deps, begun, toFault(error))
  }
  if (!deps.spent.find(draft.nonce)) {
    deps.log.error({ draft: id, connector: checked.connector.name }, 'a connector sent without spending the signature first')
    await deps.spent.spend(spentEntry(deps, draft, checked, 'release', approval))
  }
  return finish(deps, id, 'released', { receipt }, checked.connector)
}

/** The last thing before the act that cannot be taken back. When it does not succeed, nothing is sent. */
async function commit(deps: OutboxDeps, draft: Draft, checked: Checked, approval: Approval): Promise<void> {
  try {
    // a slow server had time since the release began: for the deadline to pass, or for the operator to revoke the key
    await checkLeave(deps, draft, checked, approval)
    faultPoint('nonce.spend:before')
    await deps.spent.spend(spentEntry(deps, draft, checked, 'release', approval))
    faultPoint('nonce.spend:after')
    // from here on a copy of the file without this nonce is known to be too old
    await raiseSpentCount(deps.database.pool, deps.spent.count)
  } catch (error) {
    const fault = toFault(error)
    if (fault.code === 'releaser.replaced' || fault.code === 'nonce.spent') throw fault
    const brief = `${fault.message}; nothing was sent`
    const isFinal = fault.kind === 'refused' || fault.code === 'nonce.unwritable'
    throw new Fault('unavailable', isFinal ? 'connector.not_sent' : 'connector.try_again', brief, isOrderOver(error) ? { orderOver: error.message } : {}, error)
  }
}

/** May it leave now: in time, and by a signature that counts, its own or that of the order which approved it? */
async function checkLeave(deps: OutboxDeps, draft: Draft, checked: Checked, { proof, order, decidedAt }: Approval): Promise<void> {
  const last = lastRelease(draft, deps.settings().holdMs)
  if (deps.clock.now() >= last) throw new Fault('refused', 'draft.expired', `it was signed, but could not leave before ${last.toISOString()}`)
  if (draft.notBefore !== null && deps.clock.now() < draft.notBefore) throw new Fault('unavailable', 'draft.not_yet', `it was signed to leave at ${draft.notBefore.toISOString()}, and not before`)
  if (order) await checkUse(deps, draft, checked.document, order)
  else await checkProof(deps, draft, checked, proof, { decidedAt, again: true })
}

function spentEntry(deps: OutboxDeps, { nonce, id }: Draft, { document }: Checked, act: 'release' | 'failed' | 'returned', { order }: Pick<Approval, 'order'> = {}): SpentNonce {
  return { nonce, draft: id, item: document.origin.item, act, at: deps.clock.now().toISOString(), ...(order && { order: order.use }) }
}

/** An order that does not approve any more: the draft waits for the operator, as any. */
function isOrderOver(error: unknown): error is Fault {
  return error instanceof Fault && error.kind === 'refused' && error.code.startsWith('order.')
}

/** Everything is verified again, over what the database holds now, before the row says `releasing`. */
async function begin(deps: OutboxDeps, id: string): Promise<Begun> {
  return change(deps, 'draft.releasing', async (transaction): Promise<Begun> => {
    const { client, now, audit } = transaction
    const draft = await lockDraft(client, id)
    if (draft?.state !== 'held' || draft.holdUntil === null || now < draft.holdUntil) return { step: 'none' }
    if (draft.kind !== 'outbox.resume' && (await findFence(client))) return { step: 'none' }
    const spent = deps.spent.find(draft.nonce)
    if (spent?.act === 'undo') return { step: 'undo' }
    const reason = spentBefore(deps.spent, draft)
    if (reason !== undefined) {
      deps.onRefused?.(new Fault('refused', 'nonce.spent', reason), draft.connector, 'release')
      await settle(transaction, draft, 'unknown', { reason })
      return { step: 'none' }
    }
    try {
      const checked = checkDraft(draft, deps.connectors())
      const approval = await findApproval(client, id)
      if (!approval) throw new Fault('refused', 'draft.signature', 'nobody signed it')
      await checkLeave(deps, draft, checked, approval)
      if (await holdForRoom(deps, transaction, draft)) return { step: 'none' }
      await moveDraft(client, id, 'releasing')
      const tries = await openDelivery(client, { id: newId(), draft: id, nonce: draft.nonce, at: now })
      await audit('draft.releasing', id, { nonce: draft.nonce, sha256: checked.document.wire.sha256 })
      return { step: 'deliver', draft, checked, approval, tries }
    } catch (error) {
      if (isOrderOver(error)) return { step: 'undo', reason: error.message }
      if (toFault(error).code === 'draft.not_yet') {
        await moveDraft(client, id, 'held', { holdUntil: draft.notBefore! })
        return { step: 'none' }
      }
      if (!(error instanceof Fault) || error.kind !== 'refused') throw error
      deps.onRefused?.(error, draft.connector, 'release')
      if (await mayHaveLeft(client, id)) await settle(transaction, draft, 'unknown', { reason: `${open}: an earlier try ended in a failure of the other side, and ${error.message}` })
      else await settle(transaction, draft, 'failed', { reason: `not sent: ${error.message}` })
      return { step: 'none' }
    }
  })
}

async function finishFailed(
  deps: OutboxDeps, { draft, checked, approval, tries }: Extract<Begun, { step: 'deliver' }>, fault: Fault,
): Promise<'released' | 'failed' | 'unknown' | 'held' | 'undone'> {
  if (fault.code === 'releaser.replaced') throw fault
  deps.log.warn({ err: fault, draft: draft.id }, 'a connector did not deliver')
  deps.onRefused?.(causeOf(fault), checked.connector.name, 'release')
  // what others said stays with the draft; the audit has the brief of it
  const brief = typeof fault.details['brief'] === 'string' ? fault.details['brief'] : fault.message
  const spent = deps.spent.find(draft.nonce)
  if (typeof fault.details['orderOver'] === 'string' && !spent) {
    await holdAgain(deps, draft.id, deps.clock.now(), brief, brief)
    await undoDraft(deps, draft.id, fault.details['orderOver'])
    return 'undone'
  }
  // before the file says that the signature is unspent again, so that no crash forgets it
  if (spent && fault.details['mayHaveLeft'] === true) await noteMayHaveLeft(deps.database.pool, draft.id)
  const isOpen = await mayHaveLeft(deps.database.pool, draft.id)
  if (fault.code === 'connector.try_again') {
    const asked = Number(fault.details['retryAfterMs'] ?? 0)
    const next = new Date(deps.clock.now().getTime() + Math.max(retryAfterMs[tries] ?? Number.NaN, asked))
    if (next < lastRelease(draft, deps.settings().holdMs)) {
      if (spent) await deps.spent.spend(spentEntry(deps, draft, checked, 'returned'))
      return holdAgain(deps, draft.id, next, brief, fault.message, isOpen)
    }
  }
  const often = tries > 0 ? ` (after ${tries + 1} tries)` : ''
  if (!isOpen && (fault.code === 'connector.not_sent' || fault.code === 'connector.try_again')) {
    await deps.spent.spend(spentEntry(deps, draft, checked, 'failed')).catch(unlessUnwritable)
    return finish(deps, draft.id, 'failed', { reason: `not sent${often}: ${brief}`, words: `not sent${often}: ${fault.message}` })
  }
  // where an earlier try left it open, this one sent nothing, and the row alone keeps it
  if (!spent) await deps.spent.spend(spentEntry(deps, draft, checked, 'release', approval)).catch((error: unknown) => { if (isOpen) unlessUnwritable(error); else throw error })
  const receipt = await checked.connector.reconcile?.(draft.wire, checked.document, await trailOf(deps.database.pool, deps.spent, draft)).catch(() => undefined)
  if (receipt) return finish(deps, draft.id, 'released', { receipt }, checked.connector)
  return finish(deps, draft.id, 'unknown', { reason: `${open}${often}: ${brief}`, words: `${open}${often}: ${fault.message}` })
}

function unlessUnwritable(error: unknown): void {
  if (toFault(error).code !== 'nonce.unwritable') throw error
}

/** What the last look before the act refused is told as a connector's failure; what it was stands behind it. */
function causeOf(fault: Fault): Fault {
  return fault.cause instanceof Fault && fault.cause.kind === 'refused' ? fault.cause : fault
}

/** Nothing left, or a second one is taken for the first, and the signature is unspent: the draft waits for another try, and can be undone until then. */
async function holdAgain(deps: OutboxDeps, id: string, next: Date, brief: string, said: string, isOpen = false): Promise<'held'> {
  return change<'held'>(deps, 'draft.held', async ({ client, audit }) => {
    const draft = await lockReleasing(client, id, 'held')
    await moveDraft(client, draft.id, 'held', { holdUntil: next, reason: `${isOpen ? 'nobody knows yet whether it was sent' : 'not sent yet'}, tried again at ${next.toISOString()}: ${said}` })
    await countTry(client, id)
    await audit('draft.held', id, { reason: brief, next })
    return 'held'
  })
}

/** Records how the release ended. */
async function finish<S extends 'released' | 'failed' | 'unknown'>(
  deps: OutboxDeps, id: string, state: S, outcome: Ending, connector?: Connector,
): Promise<S> {
  return change(deps, `draft.${state}`, async (transaction) => {
    await settle(transaction, await lockReleasing(transaction.client, id, state), state, outcome)
    if (state === 'released' && connector?.sent) await wantSentCopy(transaction.client, id, transaction.now)
    return state
  })
}

async function lockReleasing(client: Queryable, id: string, to: DraftState): Promise<Draft> {
  const draft = await lockDraft(client, id)
  if (draft && mayMove(draft.state, to)) return draft
  throw new Fault('conflict', 'draft.moved', `draft ${id} was ${to}, but somebody else made it ${draft?.state ?? 'nothing'} meanwhile`)
}
