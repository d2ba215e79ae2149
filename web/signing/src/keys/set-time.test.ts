import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import canonicalize from 'canonicalize'
import { sampleDraft } from '../../../../test/support/cli.ts'
import type { DraftDetail } from '../releaser/answers.ts'
import { checkDraft, type CheckedDraft } from './check-draft.ts'
import { checkTimed, spread } from './set-time.ts'

const at = '2099-12-01T08:00:00.000Z'

/** A draft that was read, and what the releaser answers when it is to leave then. */
async function timed(change: object = {}): Promise<[CheckedDraft, DraftDetail]> {
  const draft = await sampleDraft()
  const read = await checkDraft(draft as unknown as DraftDetail)
  assert(read.ok)
  const id = randomUUID()
  const document = canonicalize({ ...JSON.parse(draft.document) as object, id, nonce: 'cd'.repeat(32), replaces: draft.id, frozen_at: '2026-03-02T10:00:00.000Z', expires_at: '2026-03-05T10:00:00.000Z', not_before: at, ...change })!
  return [read.draft, { ...draft, id, document } as unknown as DraftDetail]
}

test('what differs in nothing but its time is what was read', async () => {
  const draft = await checkTimed(...(await timed()), at)
  assert.equal(draft.document.not_before, at)
})

test('what differs in more, has another time, or takes the place of another is not signed', async () => {
  for (const change of [{ title: 'Other' }, { not_before: null }, { replaces: null }, { account: '/elsewhere' }, { rollback: 'none' }]) {
    await assert.rejects(checkTimed(...(await timed(change)), at), /Nothing was signed/, JSON.stringify(change))
  }
  await assert.rejects(checkTimed(...(await timed({ wire: { sha256: '00'.repeat(32), length: 1 } })), at), /cannot be signed/)
})

test('every two hours is two hours of real time, and what has passed leaves right away', () => {
  const first = Date.parse('2026-03-28T22:00:00.000Z')
  assert.deepEqual(spread(3, { first, apartMs: 7_200_000, now: first }), [null, '2026-03-29T00:00:00.000Z', '2026-03-29T02:00:00.000Z'])
  assert.deepEqual(spread(2, { first, apartMs: 0, now: first - 1 }), ['2026-03-28T22:00:00.000Z', '2026-03-28T22:00:00.000Z'])
})
