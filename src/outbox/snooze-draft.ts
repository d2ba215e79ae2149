import { z } from 'zod'
import { Fault } from '../kernel/fault.ts'
import { change, type OutboxDeps } from './change.ts'
import { tooLate, type TooLate } from './draft.ts'
import { lockDraft, snooze } from './draft-store.ts'

export const snoozeBody = z.strictObject({ until: z.iso.datetime({ offset: true }).transform((text) => new Date(text)).nullable() })

export type SnoozeOutcome = { readonly outcome: 'snoozed'; readonly until: Date | null } | TooLate

/**
 * Takes a waiting draft out of the usual list until then, or back into it. Decides nothing: its deadline stays, and so
 * nothing is put off past it.
 * @throws Fault `draft.missing`, `draft.snooze`
 */
export async function snoozeDraft(deps: OutboxDeps, id: string, until: Date | null): Promise<SnoozeOutcome> {
  return change(deps, 'draft.snooze', async ({ client, now }): Promise<SnoozeOutcome> => {
    const draft = await lockDraft(client, id)
    if (!draft) throw new Fault('missing', 'draft.missing', `there is no draft ${id}`)
    const late = tooLate(draft, now)
    if (late) return late
    if (until !== null && until <= now) throw new Fault('invalid', 'draft.snooze', `${until.toISOString()} has passed; name a moment to come`)
    if (until !== null && until >= draft.expiresAt) {
      throw new Fault('invalid', 'draft.snooze', `draft ${id} counts as denied from ${draft.expiresAt.toISOString()} on; name an earlier moment, or deny it`, { expires_at: draft.expiresAt })
    }
    await snooze(client, id, until)
    return { outcome: 'snoozed', until }
  })
}
