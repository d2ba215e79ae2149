import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testOutbox, type TestOutbox } from '../../test/support/outbox.ts'
import { readDraftList } from './draft-summary.ts'
import { expireDrafts } from './expire-drafts.ts'
import { snoozeDraft } from './snooze-draft.ts'

const hour = 3_600_000
const inHours = (outbox: TestOutbox, hours: number) => new Date(outbox.clock.now().getTime() + hours * hour)
const listed = async (outbox: TestOutbox, awake = true) => {
  const now = outbox.clock.now()
  return (await readDraftList(outbox.deps.database.pool, { limit: 10, awakeAt: awake ? now : undefined }, now)).map(({ id, snoozed_until }) => [id, snoozed_until])
}

test('a snoozed draft is out of the list until its time, or until it is called back', async (t) => {
  const outbox = await testOutbox(t)
  const { id } = await outbox.freeze()
  const until = inHours(outbox, 2)
  assert.deepEqual(await snoozeDraft(outbox.deps, id, until), { outcome: 'snoozed', until })
  assert.deepEqual(await listed(outbox), [])
  assert.deepEqual(await listed(outbox, false), [[id, until]])
  assert.deepEqual(await snoozeDraft(outbox.deps, id, null), { outcome: 'snoozed', until: null })
  assert.deepEqual(await listed(outbox), [[id, null]])
  await snoozeDraft(outbox.deps, id, until)
  outbox.clock.set(until)
  assert.deepEqual(await listed(outbox), [[id, null]])
})

test('it decides nothing: it can be signed while it sleeps, and is in sight again from then on', async (t) => {
  const outbox = await testOutbox(t)
  const { id } = await outbox.freeze()
  await snoozeDraft(outbox.deps, id, inHours(outbox, 2))
  assert.equal((await outbox.approve(id)).outcome, 'decided')
  assert.deepEqual(await listed(outbox), [[id, null]])
  assert.deepEqual(await snoozeDraft(outbox.deps, id, null), { outcome: 'too_late', was: 'held' })
  assert.deepEqual(await outbox.audited(id), ['draft.frozen', 'draft.decided'])
})

test('nothing is put off past its deadline or into the past, by the rule or beside it', async (t) => {
  const outbox = await testOutbox(t)
  const { id, expiresAt } = await outbox.freeze()
  for (const until of [expiresAt, inHours(outbox, 1000), outbox.clock.now(), inHours(outbox, -1)]) {
    await assert.rejects(snoozeDraft(outbox.deps, id, until), { kind: 'invalid', code: 'draft.snooze' })
  }
  await assert.rejects(outbox.deps.database.pool.query('update draft set snoozed_until = expires_at where id = $1', [id]), { code: '23514' })
  await assert.rejects(snoozeDraft(outbox.deps, '019514a0-0000-7000-8000-000000000001', null), { code: 'draft.missing' })
  await snoozeDraft(outbox.deps, id, new Date(expiresAt.getTime() - 1))
  outbox.clock.set(expiresAt)
  assert.equal(await expireDrafts(outbox.deps), 1)
  assert.deepEqual(await snoozeDraft(outbox.deps, id, null), { outcome: 'too_late', was: 'expired' })
})
