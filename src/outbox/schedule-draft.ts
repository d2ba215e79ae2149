import { z } from 'zod'
import { Fault } from '../kernel/fault.ts'
import { change, type OutboxDeps } from './change.ts'
import { challengeOf } from './document.ts'
import { tooLate, type TooLate } from './draft.ts'
import { lockDraft, moveDraft } from './draft-store.ts'
import { refreeze } from './refreeze.ts'
import { putAside } from './spent-before.ts'
import { checkStored } from './verify-draft.ts'

export const scheduleBody = z.strictObject({
  challenge: z.string().max(100).describe('of the draft as the operator saw it, hex'),
  not_before: z.iso.datetime({ offset: true }).transform((text) => new Date(text)).nullable().describe('when it may leave at the earliest; null: right after its hold'),
})
export type Schedule = z.infer<typeof scheduleBody>

export type ScheduleOutcome = { readonly outcome: 'scheduled'; /** The draft that waits in its place. */ readonly draft: string } | TooLate

const dayMs = 86_400_000
/** A session key is known for a month after it signed, and is looked at again when the draft leaves. */
const furthestDays = 27

/**
 * The same bytes wait for their signature with another time to leave, which stands in what is signed: a new draft in the place of the old, whose nonce
 * is spent, so that it cannot be signed without the time. The deadline for the signature counts from now.
 * @throws Fault `draft.missing`, `draft.changed`, `draft.time`, `draft.altered`, `draft.document`, `nonce.unwritable`; after each of which the draft waits on as it was
 */
export async function scheduleDraft(deps: OutboxDeps, id: string, { challenge, not_before: notBefore }: Schedule): Promise<ScheduleOutcome> {
  return change(deps, 'draft.schedule', async (transaction): Promise<ScheduleOutcome> => {
    const { client, now, audit } = transaction
    const old = await lockDraft(client, id)
    if (!old) throw new Fault('missing', 'draft.missing', `there is no draft ${id}`)
    const late = tooLate(old, now) ?? (await putAside(deps, transaction, old))
    if (late) return late
    const stored = challengeOf(old.document).toString('hex')
    if (challenge !== stored) throw new Fault('conflict', 'draft.changed', `draft ${id} is not what you looked at; look at it again`, { challenge: stored })
    checkTime(notBefore, now)
    const document = checkStored(old)
    await moveDraft(client, id, 'replaced', { closedAt: now })
    const successor = await refreeze(deps, transaction, old, { ...document, not_before: notBefore?.toISOString() ?? null })
    await audit('draft.edited', id, { successor, challenge: stored, not_before: notBefore })
    // last, as with an edit: whatever fails before leaves a draft that can be signed
    await deps.spent.spend({ nonce: old.nonce, draft: id, item: document.origin.item, act: 'replace', at: now.toISOString() })
    return { outcome: 'scheduled', draft: successor }
  })
}

function checkTime(notBefore: Date | null, now: Date): void {
  if (notBefore === null) return
  if (notBefore <= now) throw new Fault('invalid', 'draft.time', `${notBefore.toISOString()} has passed; name a moment to come, or none`)
  if (notBefore.getTime() > now.getTime() + furthestDays * dayMs) throw new Fault('invalid', 'draft.time', `${notBefore.toISOString()} is more than ${furthestDays} days away, and no signature is kept ready for so long; have it proposed then`)
}
