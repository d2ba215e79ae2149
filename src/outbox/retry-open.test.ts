import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { startHttpReceiver } from '../../test/support/http-receiver.ts'
import { testOutbox, type TestOutbox } from '../../test/support/outbox.ts'
import { createWebhookConnector } from './connectors/webhook.ts'
import { readDocument } from './document.ts'
import { recoverDrafts } from './recover-drafts.ts'
import { releaseDraft, retryAfterMs } from './release-drafts.ts'
import { resolveDraft } from './resolve-draft.ts'
import { undoDraft } from './undo-draft.ts'

/** A receiver that took the first notice and says that it failed, and does as it is told from then on. */
async function opened(t: TestContext) {
  const server = await startHttpReceiver(t)
  const secret = { secret: 'hook', value: `whsec_${Buffer.alloc(32, 7).toString('base64')}` }
  const outbox = await testOutbox(t, { connectors: () => [createWebhookConnector({ name: 'hook', url: `${server.url}/in`, secret, network: { isPrivate: true }, patience: { connect: 2_000, answer: 300 } })] })
  const draft = await outbox.readyToRelease({ body: { type: 'lead.new' } }, { kind: 'webhook', connector: 'hook' })
  server.misbehave({ status: 500 })
  assert.equal(await releaseDraft(outbox.deps, draft.id), 'held')
  assert.equal(server.received.length, 1)
  return { server, outbox, draft }
}

const entries = ({ folder }: TestOutbox) => readFileSync(join(folder, 'spent-nonces.jsonl'), 'utf8').split('\n').slice(0, -1).map((line) => (JSON.parse(line) as { act: string }).act)
const deliveryOf = async ({ database }: TestOutbox) => (await database.owner.pool.query<{ state: string }>('select state from delivery')).rows.map(({ state }) => state)

test('whoever failed while he took it may have it: it is tried again under the same id, and after the last try nobody knows', async (t) => {
  const { server, outbox, draft } = await opened(t)
  assert.match((await outbox.draft(draft.id)).reason!, /^nobody knows yet whether it was sent, tried again at .*answered 500/)
  for (const [index, wait] of retryAfterMs.entries()) {
    outbox.clock.advance(wait)
    server.misbehave({ status: 500 })
    assert.equal(await releaseDraft(outbox.deps, draft.id), index === retryAfterMs.length - 1 ? 'unknown' : 'held')
  }
  assert.equal(new Set(server.received.map(({ headers }) => headers['webhook-id'])).size, 1)
  assert.match((await outbox.draft(draft.id)).reason!, /^nobody knows whether it was sent.*after 4 tries.*answered 500/)
  assert.deepEqual([entries(outbox).at(-1), await deliveryOf(outbox)], ['release', ['unknown']])
})

test('a later try that was refused, or reached nobody, does not say that the first did not arrive', async (t) => {
  for (const how of [{ status: 410 }, { status: 429 }] as const) {
    const { server, outbox, draft } = await opened(t)
    let end = 'held'
    for (const wait of retryAfterMs) {
      if (end !== 'held') break
      outbox.clock.advance(wait)
      server.misbehave(how)
      end = await releaseDraft(outbox.deps, draft.id)
    }
    assert.equal(end, 'unknown', JSON.stringify(how))
    assert.equal(entries(outbox).at(-1), 'release')
  }
})

test('a deadline that passes after such a try leaves it open too', async (t) => {
  const { outbox, draft } = await opened(t)
  outbox.clock.set(new Date(draft.expiresAt.getTime() + 3_600_000))
  await releaseDraft(outbox.deps, draft.id)
  const { state, reason } = await outbox.draft(draft.id)
  assert.equal(state, 'unknown')
  assert.match(reason!, /nobody knows whether it was sent: .*could not leave before/)
})

test('what was taken back after such a try says so to whoever would sign it again', async (t) => {
  const { outbox, draft } = await opened(t)
  const undone = await undoDraft(outbox.deps, draft.id)
  assert(undone.outcome === 'undone')
  assert.match(readDocument((await outbox.draft(undone.draft)).document).reasons.at(-1)!, /may have arrived/)
  assert.deepEqual(await deliveryOf(outbox), ['unknown'])
})

test('the database itself lets nobody say that it did not leave, or forget that it may have; the operator, who looked, says how it ended', async (t) => {
  const { outbox, draft } = await opened(t)
  const asReleaser = (text: string) => outbox.deps.database.pool.query(text)
  for (const change of [`state = 'failed'`, 'may_have_left = false', `may_have_left = false, state = 'failed'`]) {
    await assert.rejects(asReleaser(`update delivery set ${change}`), { code: 'CA002' }, change)
  }
  outbox.clock.set(new Date(draft.expiresAt.getTime() + 3_600_000))
  await releaseDraft(outbox.deps, draft.id)
  assert.deepEqual(await resolveDraft(outbox.deps, draft.id, 'failed', 'it is not there'), { outcome: 'resolved' })
  assert.deepEqual(await deliveryOf(outbox), ['failed'])
})

test('a crash right after such a try forgets nothing of it', async (t) => {
  const { server, outbox, draft } = await opened(t)
  await outbox.database.owner.pool.query('alter table draft disable trigger draft_state_moves')
  await outbox.database.owner.pool.query(`update draft set state = 'releasing', reason = null`)
  const deps = await outbox.reopenSpent()
  await recoverDrafts(deps)
  assert.equal((await outbox.draft(draft.id)).state, 'held')
  server.misbehave({ status: 410 })
  assert.equal(await releaseDraft(deps, draft.id), 'unknown')
})

test('a disk that takes nothing does not have it tried again and again', async (t) => {
  const { server, outbox, draft } = await opened(t)
  const deps = await outbox.reopenSpent({ append: () => Promise.reject(new Error('no space left on device')) })
  outbox.clock.advance(retryAfterMs[0]!)
  assert.equal(await releaseDraft(deps, draft.id), 'unknown')
  assert.equal(server.received.length, 1)
})

test('a try that arrives closes it like any', async (t) => {
  const { server, outbox, draft } = await opened(t)
  outbox.clock.advance(retryAfterMs[0]!)
  assert.equal(await releaseDraft(outbox.deps, draft.id), 'released')
  assert.deepEqual([server.received.length, await deliveryOf(outbox)], [2, ['delivered']])
})
