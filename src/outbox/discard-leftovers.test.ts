import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { listmonkToken, listmonkUser, startListmonkApi } from '../../test/support/listmonk-api.ts'
import { testOutbox } from '../../test/support/outbox.ts'
import { Fault } from '../kernel/fault.ts'
import { createListmonkConnector } from './connectors/listmonk/listmonk.ts'
import { decideDraft } from './decide-draft.ts'
import { createLeftovers, discardAgainMs } from './discard-leftovers.ts'
import { expireDrafts } from './expire-drafts.ts'
import { releaseDraft, retryAfterMs } from './release-drafts.ts'
import { resolveDraft } from './resolve-draft.ts'
import { undoDraft } from './undo-draft.ts'

const letter = { subject: 'Neues im März', lists: ['Readers'], text: 'Hallo.\n\n[Abmelden]({{ UnsubscribeURL }})' }
const signed = { kind: 'newsletter.send', connector: 'letters', label: { level: 0, integrity: 'trusted', lanes: [] } } as const

/** A listmonk and an outbox. `stops`: each delivery ends before its signature is spent, while listmonk answers nobody, so that its campaign stays there as a draft. */
async function opened(t: TestContext) {
  const { server, campaigns } = await startListmonkApi(t)
  const connector = createListmonkConnector({
    name: 'letters', url: server.url, user: listmonkUser, token: { secret: 'lists', value: listmonkToken }, from: 'Haus <news@example.org>', lists: ['*'], network: { isPrivate: true }, patience: { connect: 2_000, answer: 1_000 },
  })
  const way = { ends: new Fault('unavailable', 'connector.try_again', 'the database went away') as Error | undefined, spends: false }
  const outbox = await testOutbox(t, { connectors: () => [{ ...connector, deliver: (wire, document, until, spend) => connector.deliver(wire, document, until, async () => {
    if (way.spends) await spend()
    if (way.ends) server.misbehave('drop')
    if (way.ends && !way.spends) throw way.ends
  }) }] })
  const leftovers = createLeftovers(outbox.deps)
  const statuses = () => campaigns.map(({ status }) => status)
  return { server, campaigns, outbox, leftovers, way, statuses }
}

/** Tried once, and taken back by the operator: its bytes wait again, and a draft stands in listmonk. */
async function takenBack(t: TestContext) {
  const made = await opened(t)
  const draft = await made.outbox.readyToRelease(letter, signed)
  assert.deepEqual([await releaseDraft(made.outbox.deps, draft.id), made.statuses(), await made.leftovers.due()], ['held', ['draft'], []], 'it will be tried again')
  const undone = await undoDraft(made.outbox.deps, draft.id)
  assert(undone.outcome === 'undone')
  return { ...made, draft, successor: undone.draft }
}

test('nothing is made in listmonk before the signature: neither freezing nor denying nor expiring leaves anything there', async (t) => {
  const { server, outbox, leftovers, statuses } = await opened(t)
  const denied = await outbox.freeze(letter, signed)
  await decideDraft(outbox.deps, denied.id, { verdict: 'deny' })
  const late = await outbox.freeze(letter, signed)
  outbox.clock.set(late.expiresAt)
  assert.equal(await expireDrafts(outbox.deps), 1)
  assert.deepEqual([statuses(), await leftovers.due(), server.received.filter(({ method }) => method !== 'GET').length], [[], [], 0])
})

test('of what was tried and taken back nothing is left in listmonk when the operator denies what waits in its place, or lets it expire', async (t) => {
  for (const end of ['denied', 'expired'] as const) {
    const { outbox, leftovers, draft, successor, statuses } = await takenBack(t)
    assert.deepEqual(await leftovers.due(), ['letters'], 'the approval is gone already')
    if (end === 'denied') await decideDraft(outbox.deps, successor, { verdict: 'deny' })
    else {
      outbox.clock.set((await outbox.draft(successor)).expiresAt)
      await expireDrafts(outbox.deps)
    }
    await leftovers.discard('letters')
    assert.deepEqual([(await outbox.draft(successor)).state, statuses(), await leftovers.due()], [end, [], []])
    assert.equal((await outbox.audited(draft.id)).at(-1), 'draft.discarded')
  }
})

test('a listmonk that does not answer is asked again later, and one that has nothing is asked once', async (t) => {
  const { server, outbox, leftovers, statuses } = await takenBack(t)
  server.misbehave('drop')
  await leftovers.discard('letters')
  assert.deepEqual([statuses(), await leftovers.due()], [['draft'], []])
  outbox.clock.advance(discardAgainMs)
  assert.deepEqual(await leftovers.due(), ['letters'])
  await leftovers.discard('letters')
  const asked = server.received.length
  outbox.clock.advance(discardAgainMs)
  await leftovers.discard('letters')
  assert.deepEqual([statuses(), server.received.length], [[], asked])
})

test('what failed in the end, or failed by the word of the operator, leaves nothing either; of what nobody knows it stays to be looked at', async (t) => {
  const first = await opened(t)
  const failed = await first.outbox.readyToRelease(letter, signed)
  for (const wait of [...retryAfterMs, 0]) {
    await releaseDraft(first.outbox.deps, failed.id)
    first.outbox.clock.advance(wait)
  }
  assert.deepEqual([(await first.outbox.draft(failed.id)).state, first.statuses()], ['failed', ['draft']])
  await first.leftovers.discard('letters')
  assert.deepEqual(first.statuses(), [])

  const second = await opened(t)
  Object.assign(second.way, { spends: true })
  const open = await second.outbox.readyToRelease(letter, signed)
  assert.equal(await releaseDraft(second.outbox.deps, open.id), 'unknown')
  assert.deepEqual([second.statuses(), await second.leftovers.due()], [['draft'], []])
  await resolveDraft(second.outbox.deps, open.id, 'failed', 'it was not started')
  await second.leftovers.discard('letters')
  assert.deepEqual(second.statuses(), [])
})

test('what left after all is never taken away: not the newsletter that was signed again, nor one that somebody started', async (t) => {
  const again = await takenBack(t)
  again.way.ends = undefined
  again.way.spends = true
  await again.outbox.approve(again.successor)
  again.outbox.clock.advance(again.outbox.settings.holdMs)
  assert.equal(await releaseDraft(again.outbox.deps, again.successor), 'released')
  await again.leftovers.discard('letters')
  assert.deepEqual([again.statuses(), await again.leftovers.due()], [['running'], []])
  const byHand = await takenBack(t)
  byHand.campaigns[0]!.status = 'running'
  await byHand.leftovers.discard('letters')
  assert.deepEqual([byHand.statuses(), await byHand.leftovers.due()], [['running'], []])
})

test('while the outbox is fenced nothing is taken away, because its database may be from before', async (t) => {
  const { outbox, leftovers, statuses } = await takenBack(t)
  await outbox.database.owner.pool.query('update releaser_state set fence_id = gen_random_uuid(), fenced_at = now(), fence_reason = $1', ['a copy'])
  assert.deepEqual(await leftovers.due(), [])
  await leftovers.discard('letters')
  assert.deepEqual(statuses(), ['draft'])
})
