import { Fault } from '../kernel/fault.ts'
import { change, type OutboxDeps } from './change.ts'
import type { Receipt } from './connectors/connector.ts'
import { findReceipt, noteUndone } from './delivery-store.ts'
import { trailOf } from './delivery-trail.ts'
import type { TooLate } from './draft.ts'
import { lockDraft } from './draft-store.ts'
import { checkDraft } from './verify-draft.ts'

export type TakenBack = { readonly outcome: 'taken_back'; readonly receipt: Receipt } | TooLate

/**
 * Undoes what was done already, where its connector can: files come back out of the trash. It makes things as they were before a
 * signature, so that it takes none itself. The draft stays what it is; its receipt says since when it is undone.
 * @throws Fault `draft.missing`, `draft.not_undone`, and what the connector throws
 */
export async function takeBack(deps: OutboxDeps, id: string): Promise<TakenBack> {
  return change(deps, 'draft.take_back', async ({ client, now, audit }) => {
    const draft = await lockDraft(client, id)
    if (!draft) throw new Fault('missing', 'draft.missing', `there is no draft ${id}`)
    if (draft.state !== 'released' && draft.state !== 'unknown') return { outcome: 'too_late', was: draft.state }
    const { connector, document } = checkDraft(draft, deps.connectors())
    if (!connector.undo) return { outcome: 'too_late', was: draft.state }
    const before = (await findReceipt(client, id)) ?? {}
    if (before['undone_at'] !== undefined) throw new Fault('conflict', 'draft.not_undone', `draft ${id} was undone at ${String(before['undone_at'])} already`)
    const done = await connector.undo(draft.wire, document, before, await trailOf(client, deps.spent, draft))
    const receipt = { ...before, ...done, undone_at: now.toISOString() }
    await noteUndone(client, id, receipt)
    await audit('draft.undone', id, { was: draft.state, receipt: done })
    return { outcome: 'taken_back', receipt }
  })
}
