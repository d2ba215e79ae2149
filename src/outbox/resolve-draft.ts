import { Fault } from '../kernel/fault.ts'
import { change, settle, type OutboxDeps } from './change.ts'
import type { TooLate } from './draft.ts'
import { lockDraft } from './draft-store.ts'

/** The operator looked, and says how a release ended of which nobody knew. Sends nothing. @throws Fault `draft.missing` */
export async function resolveDraft(
  deps: OutboxDeps, id: string, outcome: 'released' | 'failed', reason: string,
): Promise<{ readonly outcome: 'resolved' } | TooLate> {
  return change(deps, 'draft.resolve', async (transaction) => {
    const draft = await lockDraft(transaction.client, id)
    if (!draft) throw new Fault('missing', 'draft.missing', `there is no draft ${id}`)
    if (draft.state !== 'unknown') return { outcome: 'too_late', was: draft.state }
    await settle(transaction, draft, outcome, { reason: 'the operator says so', words: reason })
    return { outcome: 'resolved' }
  })
}
