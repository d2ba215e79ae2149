import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { aMail, testOutbox } from '../../test/support/outbox.ts'
import { Fault } from '../kernel/fault.ts'
import { createFileConnector } from '../outbox/connectors/file.ts'
import { createReleasing } from './releasing.ts'

/** An outbox with the connector `file`, and `slow`, which hands nothing over before it is told to. */
async function twoConnectors(t: TestContext) {
  let go = () => {}
  const told = new Promise<void>((resolve) => (go = resolve))
  let arrived = () => {}
  const reached = new Promise<void>((resolve) => (arrived = resolve))
  const outbox = await testOutbox(t, {
    connectors: (path) => {
      const file = createFileConnector({ name: 'file', path, from: 'haus@example.org' })
      const slow = createFileConnector({ name: 'slow', path: join(path, 'slow'), from: 'haus@example.org' })
      return [file, { ...slow, deliver: async (...args) => (arrived(), await told, slow.deliver(...args)) }]
    },
  })
  const stop = new AbortController()
  let released = () => {}
  const left = () => new Promise<void>((resolve) => (released = resolve))
  const releasing = createReleasing(outbox.deps, { signal: stop.signal, onReleased: () => released(), onError: () => {} })
  const ready = async (connector: string) => outbox.readyToRelease(aMail, { connector })
  const state = async (id: string) => (await outbox.draft(id)).state
  return { outbox, releasing, stop, go: () => go(), reached, left, ready, state }
}

test('a connector that stalls holds up neither another connector nor a deadline', async (t) => {
  const { outbox, releasing, go, reached, left, ready, state } = await twoConnectors(t)
  const stalled = await ready('slow')
  await releasing.round()
  await reached
  const waiting = await outbox.freeze()
  outbox.clock.set(waiting.expiresAt)
  const quick = await outbox.freeze()
  await outbox.approve(quick.id)
  outbox.clock.advance(10_000)
  const gone = left()
  await releasing.round()
  await gone
  assert.deepEqual(await Promise.all([state(stalled.id), state(quick.id), state(waiting.id)]), ['releasing', 'released', 'expired'])
  go()
  await releasing.settled()
  assert.equal(await state(stalled.id), 'released')
})

test('what is on its way is not taken for what a crash left behind, though a round looks after the others', async (t) => {
  const { outbox, releasing, go, reached, ready, state } = await twoConnectors(t)
  const stalled = await ready('slow')
  await releasing.round()
  await reached
  // a release that ends without a record: its row says `releasing`, and nothing is on its way
  const lost = await ready('file')
  await outbox.database.owner.pool.query(`create function broken() returns trigger language plpgsql as $$ begin raise exception 'broken' using errcode = '58000'; end $$;
    create trigger broken before update on draft for each row when (new.state = 'released' and new.connector = 'file') execute function broken()`)
  await releasing.round()
  while ((await state(lost.id)) === 'held' || !existsSync(join(outbox.outgoing, `${lost.id}.eml`))) await new Promise(setImmediate)
  await outbox.database.owner.pool.query('drop trigger broken on draft')
  while ((await state(lost.id)) === 'releasing') await releasing.round()
  assert.equal(await state(lost.id), 'released', 'the file lies there, and that is known again')
  assert.equal(await state(stalled.id), 'releasing')
  go()
  await releasing.settled()
  assert.equal(await state(stalled.id), 'released')
})

test('the next round comes when the next hold or deadline is over, to the millisecond', async (t) => {
  const { outbox, releasing } = await twoConnectors(t)
  assert.equal(await releasing.round(), 15_000)
  const draft = await outbox.freeze()
  await outbox.approve(draft.id)
  outbox.clock.advance(9_958)
  assert.equal(await releasing.round(), 42)
  outbox.clock.advance(42)
  assert.equal(await releasing.round(), 1_000, 'it is due; should it not leave, it is tried again')
  await releasing.settled()
  const next = await outbox.freeze({ ...aMail, text: 'IBAN' })
  outbox.clock.set(new Date(next.expiresAt.getTime() - 7))
  assert.equal(await releasing.round(), 7)
})

test('after the stop nothing begins, and what is on its way is waited for', async (t) => {
  const { releasing, stop, go, reached, ready, state } = await twoConnectors(t)
  const stalled = await ready('slow')
  await releasing.round()
  await reached
  stop.abort()
  const late = await ready('file')
  await releasing.round()
  go()
  await releasing.settled()
  assert.deepEqual([await state(stalled.id), await state(late.id)], ['released', 'held'])
})

test('what a try left outside is taken away in the lane of its connector: never while something is on its way through it', async (t) => {
  const steps: string[] = []
  let go = () => {}
  const told = new Promise<void>((resolve) => (go = resolve))
  const outbox = await testOutbox(t, {
    connectors: (path) => [{
      ...createFileConnector({ name: 'file', path, from: 'haus@example.org' }),
      async deliver() {
        steps.push('deliver')
        if (steps.length > 1) await told
        throw new Fault('refused', 'connector.not_sent', 'no')
      },
      discard: async () => (steps.push('discard'), { campaign: '7' }),
    }],
  })
  const releasing = createReleasing(outbox.deps, { signal: new AbortController().signal, onReleased: () => {}, onError: (error) => assert.fail(String(error)) })
  const first = await outbox.readyToRelease()
  await releasing.round()
  await releasing.settled()
  const second = await outbox.readyToRelease()
  await outbox.database.owner.pool.query('update delivery set discarded_at = now()')
  await releasing.round()
  while (steps.length < 2) await new Promise(setImmediate)
  await outbox.database.owner.pool.query('update delivery set discarded_at = null')
  await releasing.round()
  assert.deepEqual(steps, ['deliver', 'deliver'])
  go()
  await releasing.settled()
  await releasing.round()
  await releasing.settled()
  assert.deepEqual(steps, ['deliver', 'deliver', 'discard', 'discard'])
  for (const { id } of [first, second]) assert.equal((await outbox.audited(id)).at(-1), 'draft.discarded')
  await releasing.round()
  await releasing.settled()
  assert.equal(steps.length, 4)
})
