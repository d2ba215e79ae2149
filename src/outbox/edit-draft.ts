import { z } from 'zod'
import { Fault } from '../kernel/fault.ts'
import { change, type OutboxDeps } from './change.ts'
import { editPayload } from './compose/compose.ts'
import { headersOfWire } from './compose/read-wire.ts'
import { challengeOf, readDocument } from './document.ts'
import { tooLate, type Draft, type TooLate } from './draft.ts'
import { findProposal, insertDraft, lockDraft, moveDraft } from './draft-store.ts'
import { frozenDetail, prepareDraft } from './prepare-draft.ts'
import { putAside } from './spent-before.ts'
import { checkStored } from './verify-draft.ts'

const addresses = z.array(z.string().max(1000)).max(1000)
export const editBody = z.strictObject({
  challenge: z.string().max(100).describe('of the draft as the operator saw it, hex: who changed something else is told'),
  recipients: z.strictObject({ to: addresses, cc: addresses, bcc: addresses }),
  subject: z.string().max(10_000),
  text: z.string(),
})
export type DraftEdit = z.infer<typeof editBody>

/** Bytes of a request: the longest text that a mail may have, as JSON writes it at worst. */
export const longestEdit = 8 * 1024 * 1024

export type EditOutcome = { readonly outcome: 'edited'; /** The draft that waits in its place. */ readonly draft: string } | TooLate

/**
 * Freezes the operator's words as a new draft and closes the old one, whose nonce is spent: what he changed can never be
 * signed as it was, not even on a restored database. Label, attachments, thread and act stay those of the old draft; risk
 * and deadline are reckoned anew. The run that waits goes on waiting.
 * @throws Fault `draft.missing`, `draft.changed`, `draft.altered`, `draft.document`, `draft.kind`, `draft.connector`,
 * `mail.*` as at a first freeze, `nonce.unwritable`; after each of which the draft waits on as it was
 */
export async function editDraft(deps: OutboxDeps, id: string, edit: DraftEdit): Promise<EditOutcome> {
  return change(deps, 'draft.edit', async (transaction): Promise<EditOutcome> => {
    const { client, now, audit } = transaction
    const old = await lockDraft(client, id)
    if (!old) throw new Fault('missing', 'draft.missing', `there is no draft ${id}`)
    const late = tooLate(old, now) ?? (await putAside(deps, transaction, old))
    if (late) return late
    const challenge = challengeOf(old.document).toString('hex')
    if (edit.challenge !== challenge) throw new Fault('conflict', 'draft.changed', `draft ${id} is not what you edited; look at it again`, { challenge })
    const document = checkStored(old)
    const proposal = await findProposal(client, old.proposalId)
    if (!proposal) throw new Fault('missing', 'draft.proposal', `what draft ${id} was made of is gone; deny it`)
    const act = { ...proposal, payload: editPayload(old.kind, proposal.payload, edit), label: old.label, replaces: id, notBefore: old.notBefore }
    const fresh = await prepareDraft(deps, client, act, now)
    checkKept(old, fresh)
    await moveDraft(client, id, 'replaced', { closedAt: now })
    await insertDraft(client, fresh)
    await audit('draft.edited', id, { successor: fresh.id, challenge, sha256: document.wire.sha256 })
    await audit('draft.frozen', fresh.id, frozenDetail(fresh))
    // last, so that whatever fails before leaves a draft that can be signed; see putAside for what fails after
    await deps.spent.spend({ nonce: old.nonce, draft: id, item: document.origin.item, act: 'replace', at: now.toISOString() })
    return { outcome: 'edited', draft: fresh.id }
  })
}

/** The operator changes words. A proposal that was altered since must not change the rest behind his back. */
function checkKept(old: Frozen, fresh: Frozen): void {
  const [before, after] = [keptOf(old), keptOf(fresh)]
  const changed = Object.keys(before).find((part) => JSON.stringify(before[part]) !== JSON.stringify(after[part]))
  if (changed === undefined) return
  throw new Fault('refused', 'draft.altered', `the proposal of draft ${old.id} has another ${changed} now: it was altered after the freeze, and the draft can only be denied`)
}

type Frozen = Pick<Draft, 'id' | 'document' | 'wire'>

function keptOf({ document, wire }: Frozen): Readonly<Record<string, unknown>> {
  const { kind, connector, attachments, origin } = readDocument(document)
  const thread = headersOfWire(wire).filter(({ name }) => /^(?:in-reply-to|references)$/i.test(name))
  return { kind, connector, 'list of attachments': attachments, origin, thread }
}
