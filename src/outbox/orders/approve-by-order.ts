import { Fault } from '../../kernel/fault.ts'
import { newId } from '../../kernel/ids.ts'
import type { Change, OutboxDeps } from '../change.ts'
import { challengeOf } from '../document.ts'
import { decide, type Draft } from '../draft.ts'
import { insertDecision, lockDraft, moveDraft } from '../draft-store.ts'
import { findFence } from '../fence/fence.ts'
import { checkStored } from '../verify-draft.ts'
import { readStanding } from './check-order.ts'
import { isAbout, isOrderedKind, whyNot } from './cover.ts'
import { ordersFor, takeUse, type StandingOrder } from './order-store.ts'

/**
 * Lets an order that is about this draft approve it, in the transaction that freezes it: a decision that names the order, and a use of it that the database
 * counts. Whatever the order does not approve waits for the operator, and says why.
 */
export async function approveByOrder(deps: OutboxDeps, transaction: Change, id: string): Promise<void> {
  const { client } = transaction
  const draft = await lockDraft(client, id)
  if (!draft || !isOrderedKind(draft.kind)) return
  const reasons: string[] = []
  for (const order of await ordersFor(client, draft)) {
    const why = await tryOrder(deps, transaction, draft, order)
    if (why === 'approved') return
    if (why !== undefined) reasons.push(why)
  }
  if (reasons.length > 0) await moveDraft(client, id, 'waiting', { reason: `it waits for you: ${reasons.join('; ')}` })
}

/** @returns why not, in words; nothing when the order is about something else */
async function tryOrder(deps: OutboxDeps, { client, now, audit }: Change, draft: Draft, order: StandingOrder): Promise<'approved' | string | undefined> {
  const document = checkStored(draft)
  const act = await readStanding(deps, order).catch((error: unknown) => {
    if (error instanceof Fault) return error
    throw error
  })
  if (act instanceof Fault) return act.message
  if (!isAbout(act, document, draft.wire)) return undefined
  const why = whyNot(act, document, now)
  if (why !== undefined) return why
  if (await findFence(client)) return `an older copy of the database came back, and the order ${act.name} approves nothing until you sign that it counts again: castellan outbox resume`
  const decision = decide(draft, 'approve', now, deps.settings().holdMs)
  if (decision.outcome === 'too_late') return undefined
  const use = await takeUse(client, { order: order.id, draft: draft.id, at: now, known: deps.spent.lastUse(order.id) })
  if (!use) return `the order ${act.name} is for ${act.per_day} a day, and they are used up`
  await insertDecision(client, { id: newId(), draft: draft.id, verdict: 'approve', order: order.id, at: now })
  await moveDraft(client, draft.id, 'signed')
  await moveDraft(client, draft.id, 'held', { holdUntil: decision.holdUntil! })
  await audit('draft.decided', draft.id, {
    verdict: 'approve', order: order.id, day: use.day, n: use.n, challenge: challengeOf(draft.document).toString('hex'), sha256: document.wire.sha256, hold_until: decision.holdUntil,
  })
  return 'approved'
}
