import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decideDraft } from '../src/outbox/decide-draft.ts'
import { challengeOf } from '../src/outbox/document.ts'
import { dueConnectors } from '../src/outbox/draft-store.ts'
import { openConnector } from '../src/outbox/connectors/connectors.ts'
import { findFence } from '../src/outbox/fence/fence.ts'
import { proposeResume } from '../src/outbox/fence/resume.ts'
import { recoverDrafts } from '../src/outbox/recover-drafts.ts'
import { releaseDrafts } from '../src/outbox/release-drafts.ts'
import { resolveDraft } from '../src/outbox/resolve-draft.ts'
import { scheduleDraft } from '../src/outbox/schedule-draft.ts'
import { readTimes } from '../src/cli/draft/set-times.ts'
import { databaseCopy } from './support/database-copy.ts'
import { testOutbox } from './support/outbox.ts'
import { botToken, startTelegramApi } from './support/telegram-api.ts'

const hour = 3_600_000

test('ten posts that were signed at once leave one every two hours, through restarts and a change of clocks; after an older database came back nothing leaves until it is confirmed, and then exactly the rest', async (t) => {
  const api = await startTelegramApi(t)
  const settings = { name: 'channel', kind: 'telegram', chat: '-100123', token: { secret: 'bot' }, api: api.url, private: true } as const
  const outbox = await testOutbox(t, { connectors: () => [openConnector(settings, { secrets: { bot: botToken }, folder: '/nowhere', entranceOf: () => { throw new Error('there is no mailbox') } })] })
  const sent = () => api.received.map(({ body }) => (JSON.parse(body.toString()) as { text: string }).text)
  const states = async () => (await outbox.database.owner.pool.query<{ state: string }>(`select state from draft where kind = 'telegram.message' and state <> 'replaced' order by not_before`)).rows.map(({ state }) => state)
  /** A releaser that starts anew at that moment. */
  const start = async (at: number) => {
    outbox.clock.advance(at - outbox.clock.now().getTime())
    const deps = await outbox.reopenSpent()
    await recoverDrafts(deps)
    return releaseDrafts(deps)
  }

  // the evening before the clocks of Berlin are put forward, at 2 in the morning
  const begin = Date.parse('2026-03-28T22:00:00.000Z')
  outbox.clock.advance(Date.parse('2026-03-28T20:00:00.000Z') - outbox.clock.now().getTime())
  const times = (await readTimes({ every: '2h', from: '2026-03-28T23:00' }, 10, { now: outbox.clock.now(), timezone: 'Europe/Berlin' })) as string[]
  assert.deepEqual(times.map((time) => (Date.parse(time) - begin) / hour), [0, 2, 4, 6, 8, 10, 12, 14, 16, 18])
  for (const [index, time] of times.entries()) {
    const { id, document } = await outbox.freeze({ text: `post ${index}` }, { kind: 'telegram.message', connector: 'channel' })
    const set = await scheduleDraft(outbox.deps, id, { challenge: challengeOf(document).toString('hex'), not_before: new Date(time) })
    assert(set.outcome === 'scheduled')
    assert.equal((await outbox.approve(set.draft)).outcome, 'decided')
  }
  let restore: (() => Promise<void>) | undefined
  for (let index = 0; index < 4; index += 1) {
    await start(begin + index * 2 * hour - 1)
    assert.equal(sent().length, index, 'not before its time')
    await start(begin + index * 2 * hour)
    assert.deepEqual(sent(), Array.from({ length: index + 1 }, (_, n) => `post ${n}`))
    if (index === 1) restore = await databaseCopy(outbox.database)
  }

  // the copy knows of two posts, and two more have left since
  await restore!()
  assert.deepEqual(await states(), [...Array<string>(2).fill('released'), ...Array<string>(8).fill('held')])
  await start(begin + 9 * hour)
  assert.equal(sent().length, 4)
  const fence = await findFence(outbox.deps.database.pool)
  assert.match(fence!.why, /of 2 drafts that the file of spent nonces knows/)
  assert.deepEqual(await states(), ['released', 'released', 'unknown', 'unknown', ...Array<string>(6).fill('held')])
  assert.deepEqual(await dueConnectors(outbox.deps.database.pool, outbox.clock.now()), [])
  for (const at of [10, 11]) await start(begin + at * hour)
  assert.equal(sent().length, 4, 'a restart lifts no fence')
  await assert.rejects(outbox.database.as('castellan_releaser').pool.query(`update draft set state = 'releasing' where state = 'held'`), { code: 'CA423' })
  assert.deepEqual(await findFence(outbox.deps.database.pool), fence)

  const { draft, risk } = await proposeResume(outbox.deps)
  assert(risk >= 8, 'no session key opens it')
  const { document, wire } = await outbox.draft(draft)
  const words = wire.toString()
  for (const index of [4, 5, 6, 7, 8, 9]) assert(words.includes(`post ${index}`), words)
  for (const index of [0, 1, 2, 3]) assert(!words.includes(`post ${index}`), words)
  await decideDraft(outbox.deps, draft, { verdict: 'approve', keyId: outbox.key.id, signature: outbox.key.sign(document) })
  assert.equal(sent().length, 4)
  outbox.clock.advance(outbox.settings.holdMs)
  await releaseDrafts(outbox.deps)
  assert.equal(await findFence(outbox.deps.database.pool), undefined)
  await releaseDrafts(outbox.deps)
  assert.deepEqual(sent(), [0, 1, 2, 3, 4, 5].map((n) => `post ${n}`), 'what came due meanwhile leaves')
  for (let index = 6; index < 10; index += 1) {
    await start(begin + index * 2 * hour - 1)
    assert.equal(sent().length, index)
    await start(begin + index * 2 * hour)
  }
  assert.deepEqual(sent(), Array.from({ length: 10 }, (_, n) => `post ${n}`), 'each once')
  for (const { id } of (await outbox.database.owner.pool.query<{ id: string }>(`select id from draft where state = 'unknown'`)).rows) await resolveDraft(outbox.deps, id, 'released', 'it is in the channel')
  assert.deepEqual(await states(), Array<string>(10).fill('released'))
})
