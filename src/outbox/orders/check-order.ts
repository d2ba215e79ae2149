import { Fault } from '../../kernel/fault.ts'
import type { OutboxDeps } from '../change.ts'
import type { OrderAct } from '../acts/order-act.ts'
import { readOutboundAct } from '../acts/outbound-act.ts'
import { checkProof, type ProofDeps } from '../check-proof.ts'
import { readDocument, sha256, type DraftDocument } from '../document.ts'
import type { Draft } from '../draft.ts'
import type { OrderUse } from '../spent-nonces.ts'
import { isAbout, whyNot } from './cover.ts'
import type { OrderedBy, StandingOrder } from './order-store.ts'

type Deps = ProofDeps & Pick<OutboxDeps, 'spent'>
const dayMs = 86_400_000

/**
 * What an order says, when it stands: its own bytes are those that a passkey signed, the file of spent nonces knows that it was made, and nobody has taken
 * it back. Everything is computed anew from what the database holds now.
 * @throws Fault `order.altered`, `order.revoked`, `order.signature`
 */
export async function readStanding(deps: Deps, order: StandingOrder): Promise<OrderAct> {
  const altered = (what: string, cause?: unknown) => new Fault('refused', 'order.altered', `the order ${order.name} is not as it was signed (${what}); take it back with \`castellan order revoke ${order.name}\``, {}, cause)
  const document = readOrderDocument(order, altered)
  const act = readOutboundAct(order.wire)
  if (act?.kind !== 'order.stand') throw altered('its bytes say no order')
  if (order.revokedAt !== null) throw new Fault('refused', 'order.revoked', `the order ${order.name} was taken back on ${order.revokedAt.toISOString()}`)
  const spent = deps.spent.find(document.nonce)
  if (spent?.act !== 'release' || spent.draft !== order.id) {
    throw new Fault('refused', 'order.revoked', spent?.act === 'revoked' ? `the order ${order.name} was taken back on ${spent.at}` : `the file of spent nonces does not know that the order ${order.name} was made; sign it again`)
  }
  await checkProof(deps, { id: order.id, kind: document.kind, document: order.document, risk: document.risk, label: document.label }, { document, connector: { zone: 'machine' } }, order.proof, { decidedAt: order.decidedAt, again: true })
    .catch((error: Error) => { throw new Fault('refused', 'order.signature', `the signature of the order ${order.name} does not count any more: ${error.message}`, {}, error) })
  return act
}

/**
 * May this draft leave by that use of an order? Right before it leaves, by the bytes of both alone.
 * @throws Fault all of `readStanding`; `order.scope`, `order.over`, `order.count`, after each of which the draft waits for the operator
 */
export async function checkUse(deps: Deps, draft: Pick<Draft, 'wire' | 'nonce'>, document: DraftDocument, { order, use }: OrderedBy): Promise<void> {
  const act = await readStanding(deps, order)
  const now = deps.clock.now()
  if (!isAbout(act, document, draft.wire)) throw new Fault('refused', 'order.scope', `the order ${act.name} is not about this`)
  const why = whyNot(act, document, now)
  if (why !== undefined) throw new Fault('refused', 'order.over', why)
  const usedFor = deps.spent.usedFor(use)
  if (use.n < 1 || use.n > act.per_day || !isRecent(deps, act, use, now) || (usedFor !== undefined && usedFor !== draft.nonce)) {
    throw new Fault('refused', 'order.count', `number ${use.n} of ${use.day} is not one that the order ${act.name} has left`)
  }
}

/** Of today, or of yesterday when it was held over midnight; a later day only where the clock showed one before. */
function isRecent({ spent }: Deps, { timezone }: OrderAct, { id, day }: OrderUse, now: Date): boolean {
  const latest = [dayIn(timezone, now), spent.lastUse(id)?.day ?? ''].sort().at(-1)!
  return day >= dayIn(timezone, new Date(now.getTime() - dayMs)) && day <= latest
}

function readOrderDocument({ id, document: text, wire }: StandingOrder, altered: (what: string, cause?: unknown) => Fault): DraftDocument {
  let document: DraftDocument
  try {
    document = readDocument(text)
  } catch (error) {
    throw altered('its document cannot be read', error)
  }
  if (document.id !== id || document.kind !== 'order.stand') throw altered('its document is of another draft')
  if (document.wire.length !== wire.length || document.wire.sha256 !== sha256(wire)) throw altered('its document names other bytes')
  return document
}

/** `2026-03-02`, as a calendar in that zone shows it. */
export function dayIn(timezone: string, at: Date): string {
  return new Intl.DateTimeFormat('sv-SE', { timeZone: timezone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(at)
}
