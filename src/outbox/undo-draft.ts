import { Fault } from '../kernel/fault.ts'
import { newId } from '../kernel/ids.ts'
import { change, type OutboxDeps } from './change.ts'
import { readDocument } from './document.ts'
import { undo, type TooLate } from './draft.ts'
import { mayHaveLeft } from './delivery-store.ts'
import { closeDelivery, insertDecision, lockDraft, moveDraft } from './draft-store.ts'
import { refreeze } from './refreeze.ts'

export type UndoOutcome = { readonly outcome: 'undone'; /** The draft that waits in its place. */ readonly draft: string } | TooLate

/**
 * Takes an approval back during its hold. The same bytes wait again under a new nonce; the old nonce is spent, so that no
 * row, however it is changed, brings the old approval back. The run that waits goes on waiting. A reason is told to whoever looks at it next.
 * @throws Fault `draft.missing`, `draft.document`, `nonce.unwritable`
 */
export async function undoDraft(deps: OutboxDeps, id: string, reason?: string): Promise<UndoOutcome> {
  return change(deps, 'draft.undo', async (transaction) => {
    const { client, now, audit } = transaction
    const old = await lockDraft(client, id)
    if (!old) throw new Fault('missing', 'draft.missing', `there is no draft ${id}`)
    const outcome = undo(old)
    if (outcome.outcome === 'too_late') return outcome
    const document = readDocument(old.document)
    const spent = deps.spent.find(old.nonce)
    if (spent && spent.act !== 'undo') return { outcome: 'too_late', was: 'unknown' }
    if (!spent) await deps.spent.spend({ nonce: old.nonce, draft: id, item: document.origin.item, act: 'undo', at: now.toISOString() })
    await insertDecision(client, { id: newId(), draft: id, verdict: 'undo', at: now, ...(reason !== undefined && { reason }) })
    await moveDraft(client, id, 'undone', { closedAt: now })
    // there is one when a try before this ended without an answer that settles it
    const isOpen = await mayHaveLeft(client, id)
    await closeDelivery(client, id, isOpen ? 'unknown' : 'failed', undefined, now)
    const told = [...(reason === undefined ? [] : [reason]), ...(isOpen ? [`it may have arrived already, as draft ${id}, whose try ended in a failure of the other side: look there before you sign it again`] : [])]
    const successor = await refreeze(deps, transaction, old, document, [...document.reasons, ...told])
    await audit('draft.undone', id, { successor, ...(reason !== undefined && { reason }) })
    return { outcome: 'undone', draft: successor }
  })
}
