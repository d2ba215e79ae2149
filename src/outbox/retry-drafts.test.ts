import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { testOutbox, type TestOutbox } from '../../test/support/outbox.ts'
import type { Database } from '../kernel/database/connect.ts'
import { Fault } from '../kernel/fault.ts'
import type { Connector } from './connectors/connector.ts'
import { createFileConnector } from './connectors/file.ts'
import { recoverDrafts } from './recover-drafts.ts'
import { releaseDraft, releaseDrafts, retryAfterMs } from './release-drafts.ts'
import { undoDraft } from './undo-draft.ts'

type Turn = 'before' | 'after' | 'refused' | 'sent'

/** A connector that fails as it is told, before the signature is spent or after it, and then delivers. */
async function scriptedOutbox(t: TestContext, ...turns: Turn[]): Promise<{ outbox: TestOutbox; sent: string[] }> {
  const sent: string[] = []
  const outbox = await testOutbox(t, { connectors: (path): Connector[] => [{
    ...createFileConnector({ name: 'file', path, from: 'haus@example.org' }),
    async deliver(_wire, document, _signal, commit) {
      const turn = turns.shift() ?? 'sent'
      const passing = new Fault('unavailable', 'connector.try_again', 'the server said: come back, Eva', { brief: 'the server answered 451' })
      if (turn === 'before') throw passing
      await commit()
      if (turn === 'after') throw passing
      if (turn === 'refused') throw new Fault('unavailable', 'connector.not_sent', 'the server said: no, Eva', { brief: 'the server answered 554' })
      sent.push(document.id)
      return { reply: 'ok' }
    },
  }] })
  return { outbox, sent }
}

const entries = ({ folder }: TestOutbox) =>
  readFileSync(join(folder, 'spent-nonces.jsonl'), 'utf8').split('\n').slice(0, -1).map((line) => (JSON.parse(line) as { act: string }).act)
const audit = async ({ database }: TestOutbox) =>
  (await database.owner.pool.query<{ kind: string; detail: Record<string, unknown> }>('select kind, detail from audit_event order by id')).rows

test('a try that sent nothing holds the draft again until the next, with the reason; then it leaves once', async (t) => {
  const { outbox, sent } = await scriptedOutbox(t, 'before')
  const { id } = await outbox.readyToRelease()
  assert.equal(await releaseDraft(outbox.deps, id), 'held')
  const held = await outbox.draft(id)
  assert.deepEqual(held.holdUntil, new Date(outbox.clock.now().getTime() + retryAfterMs[0]!))
  assert.match(held.reason!, /not sent yet, tried again at .*come back, Eva/)
  assert.deepEqual(entries(outbox), [])
  assert.deepEqual(outbox.woken, [])
  assert.equal(await releaseDraft(outbox.deps, id), 'none')
  outbox.clock.advance(retryAfterMs[0]!)
  assert.equal((await releaseDrafts(outbox.deps)).released, 1)
  assert.deepEqual([sent, entries(outbox)], [[id], ['release']])
  assert.equal((await outbox.draft(id)).reason, null)
  assert.deepEqual(await outbox.audited(id), ['draft.frozen', 'draft.decided', 'draft.releasing', 'draft.held', 'draft.releasing', 'draft.released'])
  assert(!JSON.stringify(await audit(outbox)).includes('Eva'), 'the words of others are not in the audit')
})

test('refused for now after the signature was spent, the file says that it is unspent again before the draft is held', async (t) => {
  const { outbox, sent } = await scriptedOutbox(t, 'after', 'after')
  const { id, nonce } = await outbox.readyToRelease()
  for (const wait of retryAfterMs.slice(0, 2)) {
    assert.equal(await releaseDraft(outbox.deps, id), 'held')
    assert.equal(outbox.deps.spent.find(nonce), undefined)
    outbox.clock.advance(wait)
  }
  assert.equal(await releaseDraft(outbox.deps, id), 'released')
  assert.deepEqual([sent, entries(outbox)], [[id], ['release', 'returned', 'release', 'returned', 'release']])
  // and from the file alone it is known that it cannot leave again
  await outbox.database.owner.pool.query('alter table draft disable trigger draft_state_moves')
  await outbox.database.owner.pool.query(`update draft set state = 'held'`)
  const deps = await outbox.reopenSpent()
  await recoverDrafts(deps)
  assert.equal((await releaseDrafts(deps)).released, 0)
  assert.equal(sent.length, 1)
})

test('after the last try the draft failed, and an older database does not send it either', async (t) => {
  for (const turn of ['before', 'after'] as const) {
    const { outbox, sent } = await scriptedOutbox(t, ...Array<Turn>(retryAfterMs.length + 1).fill(turn))
    const { id } = await outbox.readyToRelease()
    for (const wait of retryAfterMs) {
      assert.equal(await releaseDraft(outbox.deps, id), 'held')
      outbox.clock.advance(wait)
    }
    assert.equal(await releaseDraft(outbox.deps, id), 'failed')
    assert.match((await outbox.draft(id)).reason!, new RegExp(`after ${retryAfterMs.length + 1} tries.*come back`))
    assert.equal(entries(outbox).at(-1), 'failed')
    assert.equal(outbox.woken.length, 1)
    await outbox.database.owner.pool.query('alter table draft disable trigger draft_state_moves')
    await outbox.database.owner.pool.query(`update draft set state = 'held'`)
    assert.equal((await releaseDrafts(outbox.deps)).released, 0)
    assert.equal((await outbox.draft(id)).state, 'unknown')
    assert.deepEqual(sent, [])
  }
})

test('a lasting refusal is not tried again, and the audit has only the brief of it', async (t) => {
  const { outbox } = await scriptedOutbox(t, 'refused')
  const { id } = await outbox.readyToRelease()
  assert.equal(await releaseDraft(outbox.deps, id), 'failed')
  assert.deepEqual(entries(outbox), ['release', 'failed'])
  assert.match((await outbox.draft(id)).reason!, /no, Eva/)
  assert.deepEqual((await audit(outbox)).at(-1), { kind: 'draft.failed', detail: { was: 'releasing', reason: 'not sent: the server answered 554' } })
})

test('no try comes after the deadline that was signed', async (t) => {
  const { outbox } = await scriptedOutbox(t, 'before', 'before', 'before')
  const { id, expiresAt } = await outbox.freeze()
  outbox.clock.set(new Date(expiresAt.getTime() - 1))
  await outbox.approve(id)
  outbox.clock.advance(outbox.settings.holdMs)
  assert.equal(await releaseDraft(outbox.deps, id), 'held')
  outbox.clock.advance(retryAfterMs[0]!)
  assert.equal(await releaseDraft(outbox.deps, id), 'failed')
})

test('until the next try the approval can be taken back', async (t) => {
  const { outbox, sent } = await scriptedOutbox(t, 'after')
  const { id } = await outbox.readyToRelease()
  assert.equal(await releaseDraft(outbox.deps, id), 'held')
  const undone = await undoDraft(outbox.deps, id)
  assert(undone.outcome === 'undone')
  outbox.clock.advance(retryAfterMs[0]!)
  assert.equal((await releaseDrafts(outbox.deps)).released, 0)
  assert.deepEqual([sent, entries(outbox)], [[], ['release', 'returned', 'undo']])
  assert.deepEqual((await outbox.database.owner.pool.query('select state from delivery')).rows, [{ state: 'failed' }])
  await outbox.approve(undone.draft)
  outbox.clock.advance(outbox.settings.holdMs)
  assert.equal(await releaseDraft(outbox.deps, undone.draft), 'released')
  assert.deepEqual(sent, [undone.draft])
})

test('a releaser that stopped after the file said how it ended finds the draft where the file says', async (t) => {
  for (const [turn, state, reason] of [['after', 'held', null], ['refused', 'failed', /stopped before it recorded why/]] as const) {
    const { outbox, sent } = await scriptedOutbox(t, turn)
    const { id } = await outbox.readyToRelease()
    await releaseDraft(outbox.deps, id)
    await outbox.database.owner.pool.query('alter table draft disable trigger draft_state_moves')
    await outbox.database.owner.pool.query(`update draft set state = 'releasing', reason = null, closed_at = null`)
    await recoverDrafts(await outbox.reopenSpent())
    const draft = await outbox.draft(id)
    assert.equal(draft.state, state)
    if (reason) assert.match(draft.reason!, reason)
    else assert.equal((await releaseDrafts(outbox.deps)).released, 1)
    assert.equal(sent.length, reason ? 0 : 1)
  }
})

test('a database that goes away between the spent signature and the sending costs a try and no mail', async (t) => {
  const { outbox, sent } = await scriptedOutbox(t)
  const { id } = await outbox.readyToRelease()
  let away = true
  const pool = new Proxy(outbox.deps.database.pool, {
    get: (target, name) => name === 'query' && away ? (text: string, ...rest: unknown[]) => (
      text.includes('update releaser_state') ? Promise.reject(new Error('the connection was lost')) : Reflect.apply(target.query, target, [text, ...rest])
    ) : Reflect.get(target, name) as unknown,
  })
  const database: Database = { ...outbox.deps.database, pool }
  assert.equal(await releaseDraft({ ...outbox.deps, database }, id), 'held')
  assert.deepEqual([sent, entries(outbox)], [[], ['release', 'returned']])
  away = false
  outbox.clock.advance(retryAfterMs[0]!)
  assert.equal(await releaseDraft(outbox.deps, id), 'released')
})

test('a server that does not answer keeps no draft of another connector waiting, and is left alone until the next round', async (t) => {
  const silent = Promise.withResolvers<never>()
  const begun: string[] = []
  const asked = Promise.withResolvers<void>()
  const sent = Promise.withResolvers<string>()
  const outbox = await testOutbox(t, { connectors: (path): Connector[] => {
    const file = createFileConnector({ name: 'file', path, from: 'haus@example.org' })
    return [
      { ...file, deliver: async (...args) => file.deliver(...args).finally(() => sent.resolve(args[1].id)) },
      { ...file, name: 'slow', deliver: (_wire, { id }) => (begun.push(id), asked.resolve(), silent.promise) },
    ]
  } })
  const first = await outbox.readyToRelease(undefined, { connector: 'slow' })
  const second = await outbox.readyToRelease(undefined, { connector: 'slow' })
  const other = await outbox.readyToRelease()
  const round = releaseDrafts(outbox.deps)
  assert.equal(await sent.promise, other.id)
  await asked.promise
  assert.deepEqual(begun, [first.id])
  silent.reject(new Fault('timeout', 'connector.try_again', 'it did not answer'))
  assert.deepEqual(await round, { released: 1, astray: false })
  assert.deepEqual(begun, [first.id])
  assert.deepEqual([(await outbox.draft(first.id)).reason === null, (await outbox.draft(second.id)).state], [false, 'held'])
  await releaseDrafts(outbox.deps)
  assert.deepEqual(begun, [first.id, second.id])
})
