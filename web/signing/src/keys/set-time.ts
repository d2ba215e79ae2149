import type { DraftDetail } from '../releaser/answers.ts'
import { checkDraft, type CheckedDraft } from './check-draft.ts'

/**
 * The draft with a time to leave, looked at like any: it may be signed in the place of the one that was read when nothing else of it is other than that.
 * @throws Error with what is wrong
 */
export async function checkTimed(read: CheckedDraft, answer: DraftDetail, notBefore: string | null): Promise<CheckedDraft> {
  const check = await checkDraft(answer)
  if (!check.ok) throw new Error(`It cannot be signed: ${check.problem}.`)
  const { draft } = check
  const isSame = rest(draft.detail.document) === rest(read.detail.document)
  if (!isSame || draft.document.replaces !== read.id || draft.document.not_before !== notBefore) throw new Error('More than its time is other than what you read. Nothing was signed; open it and look.')
  return draft
}

/** What a new time leaves as it was. */
function rest(document: string): string {
  const { id: _id, nonce: _nonce, replaces: _replaces, frozen_at: _frozen, expires_at: _expires, not_before: _time, ...kept } = JSON.parse(document) as Record<string, unknown>
  return JSON.stringify(kept)
}

/** So many moments, so much real time apart; the first is `first`, or null where that has passed: right after its hold. */
export function spread(count: number, { first, apartMs, now }: { readonly first: number; readonly apartMs: number; readonly now: number }): (string | null)[] {
  return Array.from({ length: count }, (_, index) => first + index * apartMs).map((at) => (at <= now ? null : new Date(at).toISOString()))
}
