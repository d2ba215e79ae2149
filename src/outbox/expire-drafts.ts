import { change, settle, type OutboxDeps } from './change.ts'
import { forgottenRuns, lockDraft, overdueDrafts } from './draft-store.ts'

/** No signature before the deadline means denied. */
export async function expireDrafts(deps: OutboxDeps): Promise<number> {
  let expired = 0
  for (const id of await overdueDrafts(deps.database.pool, 'waiting', deps.clock.now())) {
    await change(deps, 'draft.expire', async (transaction) => {
      const draft = await lockDraft(transaction.client, id)
      if (draft?.state !== 'waiting' || transaction.now < draft.expiresAt) return
      await settle(transaction, draft, 'expired', { reason: 'nobody signed it in time' })
      expired += 1
    })
  }
  return expired
}

/** Wakes runs that were parked only after the decision they wait for: then nobody was there to wake. */
export async function wakeForgottenRuns(deps: OutboxDeps): Promise<number> {
  const proposals = await forgottenRuns(deps.database.pool)
  for (const proposal of proposals) await change(deps, 'run.wake', ({ wake }) => wake(proposal))
  return proposals.length
}
