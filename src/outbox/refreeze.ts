import { newId } from '../kernel/ids.ts'
import type { Change, OutboxDeps } from './change.ts'
import { textOfWire } from './compose/read-wire.ts'
import { writeDocument, type DraftDocument } from './document.ts'
import type { Draft } from './draft.ts'
import { insertDraft } from './draft-store.ts'
import { expiryOf, frozenDetail, newNonce, summaryOf } from './prepare-draft.ts'

/** The same bytes wait again under a new nonce, in the place of a draft that was just closed. @returns the id of the new draft */
export async function refreeze(
  deps: Pick<OutboxDeps, 'settings'>, { client, now, audit }: Change, old: Draft, document: DraftDocument, reasons: readonly string[] = document.reasons,
): Promise<string> {
  const expiresAt = new Date(now.getTime() + expiryOf(deps.settings(), old.kind, old.risk))
  const fresh: DraftDocument = {
    ...document, id: newId(now.getTime()), nonce: newNonce(), replaces: old.id, reasons: [...reasons], frozen_at: now.toISOString(), expires_at: expiresAt.toISOString(),
  }
  const draft = {
    ...old, notBefore: document.not_before === null ? null : new Date(document.not_before), id: fresh.id, nonce: fresh.nonce, replaces: old.id, document: writeDocument(fresh), frozenAt: now, expiresAt,
    summary: summaryOf(document.title, document.recipients, textOfWire(old.wire)),
  }
  await insertDraft(client, draft)
  await audit('draft.frozen', fresh.id, frozenDetail(draft))
  return fresh.id
}
