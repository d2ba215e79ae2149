import { Fault } from '../kernel/fault.ts'
import { change, settle, type Change, type OutboxDeps } from './change.ts'
import type { Connector } from './connectors/connector.ts'
import { trailOf } from './delivery-trail.ts'
import { itemOf, itemSaid, readDocument, type DraftDocument } from './document.ts'
import { openStates, type Draft, type DraftState } from './draft.ts'
import { everSpent, lockDraft, moveDraft, openDrafts, raiseSpentCount, resetSpentCount, spentCount, type DraftTrace } from './draft-store.ts'
import type { SpentNonce } from './spent-nonces.ts'
import { fenceOutbox, lostBy } from './fence/fence.ts'
import { agreeOnTakenBack } from './fence/taken-back.ts'
import { putAside, spentBefore } from './spent-before.ts'
import { undoDraft } from './undo-draft.ts'

/**
 * Brings database and file of spent nonces together after a crash, a restored database, or a lost file. Runs before anything
 * is released, and again whenever a release ended without a record; then for its connector alone, through which nothing may be
 * on its way. Sends nothing.
 */
export async function recoverDrafts(deps: OutboxDeps, connector?: string): Promise<void> {
  const known = await spentCount(deps.database.pool)
  if (deps.spent.count < known) await fileWasLost(deps, known)
  else if (connector === undefined) await fenceIfOlder(deps, known)
  if (connector === undefined) await agreeOnTakenBack(deps)
  for (const draft of await openDrafts(deps.database.pool, connector)) {
    if (isAstray(deps, draft)) await recoverDraft(deps, draft.id)
  }
  await raiseSpentCount(deps.database.pool, deps.spent.count)
  // until here the gates give nothing by what this database says was signed
  if (connector === undefined) await deps.database.pool.query('select outbox_compared()')
}

/** A database from before what the file knows: before anything else of it is believed, the operator says that it is the one he wants. */
async function fenceIfOlder(deps: OutboxDeps, known: number): Promise<void> {
  const lost = await lostBy(deps, known)
  if (lost.drafts + lost.takenBack > 0) await fenceOutbox(deps, lost)
}

/** These never left, and what stands in their place may. */
const takenBack: Partial<Record<DraftState, SpentNonce['act']>> = { replaced: 'replace', undone: 'undo' }

/** The database knows of more spent nonces than the file holds: whatever is in flight may have been sent, and all that ever was approved or changed is spent again. */
async function fileWasLost(deps: OutboxDeps, known: number): Promise<void> {
  const found = deps.spent.count
  const at = deps.clock.now().toISOString()
  deps.log.error({ known, found }, 'the file of spent nonces is missing or older than the database; what was in flight becomes unknown')
  const entries = (await everSpent(deps.database.pool))
    .filter(({ nonce }) => deps.spent.find(nonce) === undefined)
    .map(({ id, nonce, document, state, origin }): SpentNonce => ({
      nonce, draft: id, item: itemSaid(document) || itemOf(origin), act: takenBack[state] ?? 'lost', at,
    }))
  // before they are written, so that a file that a crash tore in the middle of them counts as lost again
  await raiseSpentCount(deps.database.pool, found + entries.length)
  if (entries.length > 0) await deps.spent.spend(...entries)
  await change(deps, 'nonce.lost', async ({ client, audit }) => {
    await resetSpentCount(client, deps.spent.count)
    await audit('nonce.lost', 'releaser', { known, found, spent_again: entries.length })
  })
  deps.onRefused?.(new Fault('conflict', 'nonce.lost', 'the file of spent nonces is missing or older than the database'), undefined, 'recover')
}

function isAstray({ spent }: OutboxDeps, { state, nonce, document }: DraftTrace): boolean {
  return state === 'signed' || state === 'releasing' || spent.find(nonce) !== undefined || spent.released(itemSaid(document)) !== undefined
}

async function recoverDraft(deps: OutboxDeps, id: string): Promise<void> {
  const unfinished = await change(deps, 'draft.recover', async (transaction) => {
    const { client, audit } = transaction
    const draft = await lockDraft(client, id)
    if (!draft || !openStates.some((state) => state === draft.state)) return 'none'
    const spent = deps.spent.find(draft.nonce)
    if (spent && (spent.act !== 'replace' || draft.state !== 'waiting')) return settleSpent(deps, transaction, draft, spent)
    if (draft.state === 'waiting' && (await putAside(deps, transaction, draft))) return 'none'
    const before = spentBefore(deps.spent, draft)
    if (before !== undefined) {
      await settle(transaction, draft, 'unknown', { reason: before })
    } else if (draft.state === 'signed') {
      await settle(transaction, draft, 'unknown', { reason: 'it is signed without a hold, which Castellan never leaves behind' })
    } else if (draft.state === 'releasing') {
      await moveDraft(client, id, 'held', { holdUntil: transaction.now })
      await audit('draft.held', id, { reason: 'the releaser stopped before anything was sent' })
    }
    return 'none'
  })
  if (unfinished === 'undo') await undoDraft(deps, id)
}

/** Its nonce is spent, but the row does not say how that ended. */
async function settleSpent(deps: OutboxDeps, transaction: Change, draft: Draft, spent: SpentNonce): Promise<'undo' | 'none'> {
  if (spent.act === 'undo' && draft.state === 'held') return 'undo'
  if (spent.act === 'failed' && draft.state === 'releasing') {
    await settle(transaction, draft, 'failed', { reason: `not sent: its delivery failed on ${spent.at}, and the releaser stopped before it recorded why` })
    return 'none'
  }
  const connector = spent.act === 'release' ? connectorOf(deps, draft) : undefined
  const receipt = await connector?.reconcile?.(draft.wire, readDocument(draft.document), await trailOf(transaction.client, deps.spent, draft)).catch(() => undefined)
  if (receipt && draft.state !== 'releasing') await settle(transaction, draft, 'unknown', { reason: 'the row is older than the file of spent nonces' })
  if (receipt) await settle(transaction, draft.state === 'releasing' ? draft : { ...draft, state: 'unknown' }, 'released', { receipt: { ...receipt, reconciled: true } })
  else {
    const remains = await connector?.remains?.(draft.wire).catch(() => undefined)
    await settle(transaction, draft, 'unknown', { reason: reasonOf(spent) + (remains === undefined ? '' : `; ${remains}`) })
  }
  return 'none'
}

function reasonOf({ act, at, draft }: SpentNonce): string {
  switch (act) {
    case 'release':
      return `the releaser stopped between handing draft ${draft} over on ${at} and recording it: look whether it arrived, then say so`
    case 'undo':
      return `its approval was taken back on ${at}: this database is older than the file of spent nonces`
    case 'failed':
    case 'returned':
      return `its delivery failed on ${at}: this database is older than the file of spent nonces`
    case 'replace':
      return `the operator changed it on ${at}: this database is older than the file of spent nonces`
    case 'revoked':
      return `the order that it makes was taken back on ${at}: this database is older than the file of spent nonces`
    case 'lost':
      return 'the file of spent nonces was lost while it was in flight: look whether it arrived, then say so'
  }
}

/** The one that it left by, as long as that is the same. */
function connectorOf(deps: OutboxDeps, draft: Draft): Connector | undefined {
  let document: DraftDocument
  try {
    document = readDocument(draft.document)
  } catch {
    return undefined
  }
  const connector = deps.connectors().find(document.connector.name)
  return connector?.account === document.account && connector.kind === document.connector.kind ? connector : undefined
}
