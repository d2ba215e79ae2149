import { settle, type Change, type OutboxDeps } from './change.ts'
import { itemSaid, readDocument } from './document.ts'
import type { Draft, TooLate } from './draft.ts'
import { moveDraft } from './draft-store.ts'
import { refreeze } from './refreeze.ts'
import type { SpentNonces } from './spent-nonces.ts'

/** Why the row of this open draft is older than the file of spent nonces: its act was released, or its nonce spent. Nothing when it is not. */
export function spentBefore(spent: SpentNonces, { id, nonce, document }: Pick<Draft, 'id' | 'nonce' | 'document'>): string | undefined {
  const released = spent.released(itemSaid(document))
  const own = spent.find(nonce)
  if (released && released.draft !== id) {
    return `the same act was released on ${released.at} as draft ${released.draft}: this database is older than the file of spent nonces`
  }
  return own && `its nonce was spent on ${own.at} (${own.act}): this database is older than the file of spent nonces`
}

/**
 * Takes a waiting draft out of reach whose nonce or act was spent before. One whose edit the database forgot, or never took
 * in, waits again in the words from before it, as a new draft; of any other the operator is asked.
 */
export async function putAside(deps: Pick<OutboxDeps, 'spent' | 'settings'>, transaction: Change, draft: Draft): Promise<TooLate | undefined> {
  const reason = spentBefore(deps.spent, draft)
  if (reason === undefined) return undefined
  const edited = deps.spent.find(draft.nonce)?.act === 'replace' && !deps.spent.released(itemSaid(draft.document))
  if (!edited) {
    await settle(transaction, draft, 'unknown', { reason })
    return { outcome: 'too_late', was: 'unknown' }
  }
  const document = readDocument(draft.document)
  const lost = 'an edit of it was lost: these are the words from before'
  await moveDraft(transaction.client, draft.id, 'replaced', { reason: lost, closedAt: transaction.now })
  const successor = await refreeze(deps, transaction, draft, document, [...document.reasons, lost])
  await transaction.audit('draft.edited', draft.id, { successor, reason: lost })
  return { outcome: 'too_late', was: 'replaced' }
}
