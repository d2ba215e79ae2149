import assert from 'node:assert/strict'
import { decideDraft } from '../../src/outbox/decide-draft.ts'
import { proposeOrder } from '../../src/outbox/orders/propose-order.ts'
import { releaseDrafts } from '../../src/outbox/release-drafts.ts'
import { enrolTestPasskey, type TestPasskey } from './authenticator.ts'
import type { TestOutbox } from './outbox.ts'

export const newsletters = { name: 'newsletters', kind: 'mail.move', connector: 'mailbox', from: 'INBOX', to: 'News', senders: ['news@shop.example'], per_day: 50 } as const

const passkeys = new WeakMap<TestOutbox, Promise<TestPasskey>>()

/** The one passkey of this outbox. */
export function passkeyOf(outbox: TestOutbox): Promise<TestPasskey> {
  const known = passkeys.get(outbox) ?? enrolTestPasskey(outbox.deps)
  passkeys.set(outbox, known)
  return known
}

/** Signs a draft with the passkey, and lets its hold pass. */
export async function signByPasskey(outbox: TestOutbox, draft: string): Promise<void> {
  const { document } = await outbox.draft(draft)
  assert.equal((await decideDraft(outbox.deps, draft, { verdict: 'approve', assertion: (await passkeyOf(outbox)).sign(document) })).outcome, 'decided')
  outbox.clock.advance(outbox.settings.holdMs)
}

/** An order that stands, of what the operator proposed and signed. @returns its id */
export async function standingOrder(outbox: TestOutbox, payload: object): Promise<string> {
  const { draft } = await proposeOrder(outbox.deps, { expires_at: new Date(outbox.clock.now().getTime() + 30 * 86_400_000).toISOString(), ...payload })
  await signByPasskey(outbox, draft)
  await releaseDrafts(outbox.deps)
  const { state, reason } = await outbox.draft(draft)
  assert.equal(state, 'released', reason ?? '')
  return draft
}
