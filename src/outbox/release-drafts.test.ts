import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { aMail, testOutbox, type TestOutbox } from '../../test/support/outbox.ts'
import { Fault } from '../kernel/fault.ts'
import type { Connector } from './connectors/connector.ts'
import { createConnectors } from './connectors/connectors.ts'
import { createFileConnector } from './connectors/file.ts'
import { decideDraft } from './decide-draft.ts'
import { readDocument } from './document.ts'
import { releaseMarginMs } from './draft.ts'
import { releaseDraft, releaseDrafts } from './release-drafts.ts'
import { resolveDraft } from './resolve-draft.ts'
import { undoDraft } from './undo-draft.ts'

const sent = (outbox: TestOutbox) => (existsSync(outbox.outgoing) ? readdirSync(outbox.outgoing) : [])

/** A connector that does what it is told instead of delivering. */
function scripted(deliver: () => Promise<never>, reconcile?: Connector['reconcile']): (path: string) => Connector[] {
  return (path) => {
    const { reconcile: _, ...file } = createFileConnector({ name: 'file', path, from: 'haus@example.org' })
    return [{ ...file, deliver, ...(reconcile && { reconcile }) }]
  }
}

test('after its hold a signed draft leaves, byte for byte, and the run goes on', async (t) => {
  const outbox = await testOutbox(t)
  const { id, wire, proposalId } = await outbox.freeze()
  await outbox.approve(id)
  outbox.clock.advance(9_999)
  assert.equal(await releaseDraft(outbox.deps, id), 'none')
  assert.equal((await releaseDrafts(outbox.deps)).released, 0)
  outbox.clock.advance(1)
  assert.equal((await releaseDrafts(outbox.deps)).released, 1)
  assert.deepEqual(readFileSync(join(outbox.outgoing, `${id}.eml`)), wire)
  assert.equal((await outbox.draft(id)).state, 'released')
  assert.deepEqual(await outbox.audited(id), ['draft.frozen', 'draft.decided', 'draft.releasing', 'draft.released'])
  const { owner } = outbox.database
  assert.deepEqual((await owner.pool.query('select state, receipt from delivery')).rows, [
    { state: 'delivered', receipt: { file: join(outbox.outgoing, `${id}.eml`), sha256: readDocument((await outbox.draft(id)).document).wire.sha256, length: wire.length } },
  ])
  assert.equal((await owner.pool.query('select spent_nonces from releaser_state')).rows[0].spent_nonces, 1)
  const { rows } = await owner.pool.query('select r.id, r.state from run r join proposal p on p.run_id = r.id where p.id = $1', [proposalId])
  assert.equal(rows[0].state, 'queued')
  assert.deepEqual(outbox.woken, [{ queue: 'runs_private', run: rows[0].id }])
})

test('two releases of one draft at the same time deliver it once', async (t) => {
  let deliveries = 0
  const outbox = await testOutbox(t, { connectors: (path) => {
    const file = createFileConnector({ name: 'file', path, from: 'haus@example.org' })
    return [{ ...file, deliver: (...args) => ((deliveries += 1), file.deliver(...args)) }]
  } })
  const { id } = await outbox.readyToRelease()
  const outcomes = await Promise.all(Array.from({ length: 4 }, () => releaseDraft(outbox.deps, id)))
  assert.deepEqual(outcomes.sort(), ['none', 'none', 'none', 'released'])
  assert.equal(deliveries, 1)
})

test('of an undo and a release at the same time one wins, and they agree which', async (t) => {
  const outbox = await testOutbox(t)
  for (let round = 0; round < 8; round += 1) {
    const before = sent(outbox).length
    const { id } = await outbox.readyToRelease()
    const [undone, released] = await Promise.all([undoDraft(outbox.deps, id), releaseDraft(outbox.deps, id)])
    assert.equal(undone.outcome === 'undone', released === 'none')
    assert.equal(sent(outbox).length - before, released === 'released' ? 1 : 0)
  }
})

test('an approval taken back during the hold waits again under a new nonce, with the same bytes', async (t) => {
  const outbox = await testOutbox(t)
  const old = await outbox.freeze()
  await outbox.approve(old.id)
  outbox.clock.advance(5_000)
  const undone = await undoDraft(outbox.deps, old.id)
  assert(undone.outcome === 'undone')
  const fresh = await outbox.draft(undone.draft)
  assert.equal((await outbox.draft(old.id)).state, 'undone')
  assert.equal(fresh.state, 'waiting')
  assert.equal(fresh.replaces, old.id)
  assert.deepEqual(fresh.wire, old.wire)
  assert.notEqual(fresh.nonce, old.nonce)
  assert.deepEqual(outbox.woken, [])
  assert.deepEqual(await undoDraft(outbox.deps, old.id), { outcome: 'too_late', was: 'undone' })

  const replay = { verdict: 'approve', keyId: outbox.key.id, signature: outbox.key.sign(old.document) } as const
  await assert.rejects(decideDraft(outbox.deps, fresh.id, replay), { code: 'draft.signature' })
  await outbox.approve(fresh.id)
  outbox.clock.advance(10_000)
  assert.equal((await releaseDrafts(outbox.deps)).released, 1)
  assert.deepEqual(sent(outbox), [`${fresh.id}.eml`])
})

test('a signature in time may finish its hold, but does not outlive the deadline by more', async (t) => {
  const outbox = await testOutbox(t)
  const [soon, late] = [await outbox.freeze(), await outbox.freeze()]
  outbox.clock.set(new Date(soon.expiresAt.getTime() - 1))
  await outbox.approve(soon.id)
  await outbox.approve(late.id)
  outbox.clock.advance(10_000)
  assert.equal(await releaseDraft(outbox.deps, soon.id), 'released')
  outbox.clock.advance(60_001)
  assert.equal(await releaseDraft(outbox.deps, late.id), 'none')
  assert.match((await outbox.draft(late.id)).reason!, /could not leave before/)
})

test('a longer hold written into the row does not keep a signature alive beyond its deadline', async (t) => {
  const outbox = await testOutbox(t)
  const draft = await outbox.readyToRelease()
  const later = new Date(draft.expiresAt.getTime() + 3_600_000)
  await outbox.database.owner.pool.query('update draft set hold_until = $2 where id = $1', [draft.id, later])
  outbox.clock.set(later)
  assert.equal((await releaseDrafts(outbox.deps)).released, 0)
  assert.equal((await outbox.draft(draft.id)).state, 'failed')
})

test('a key that is revoked during the hold releases nothing', async (t) => {
  const outbox = await testOutbox(t)
  const { id } = await outbox.readyToRelease()
  await outbox.deps.keys.revoke(outbox.key.id, outbox.clock.now())
  assert.equal((await releaseDrafts(outbox.deps)).released, 0)
  assert.match((await outbox.draft(id)).reason!, /revoked/)
  assert.equal(outbox.woken.length, 1)
})

test('while a server is slow before anything is handed over, a key that is revoked and a deadline that passes still keep it in', async (t) => {
  const meanwhile: Record<string, (outbox: TestOutbox, expiresAt: Date) => unknown> = {
    'was revoked': ({ deps, key, clock }) => deps.keys.revoke(key.id, clock.now()),
    'could not leave before': ({ clock, settings }, expiresAt) => clock.set(new Date(expiresAt.getTime() + settings.holdMs + releaseMarginMs)),
  }
  for (const [reason, happens] of Object.entries(meanwhile)) {
    let slow: () => unknown = () => undefined
    const outbox = await testOutbox(t, { connectors: (path) => {
      const file = createFileConnector({ name: 'file', path, from: 'haus@example.org' })
      return [{ ...file, deliver: (wire, document, signal, commit) => file.deliver(wire, document, signal, async () => (await slow(), commit())) }]
    } })
    const { id, expiresAt } = await outbox.readyToRelease()
    slow = () => happens(outbox, expiresAt)
    assert.equal(await releaseDraft(outbox.deps, id), 'failed')
    assert.match((await outbox.draft(id)).reason!, new RegExp(`^not sent: .*${reason}`))
    assert.deepEqual(sent(outbox), [])
    assert.deepEqual((await outbox.deps.database.pool.query('select state from delivery')).rows, [{ state: 'failed' }])
  }
})

test('a connector that leads elsewhere now, or is gone, carries nothing that was signed before', async (t) => {
  const outbox = await testOutbox(t)
  const elsewhere = { name: 'file', path: join(outbox.folder, 'elsewhere'), from: 'haus@example.org' }
  const ways = [[], [createFileConnector(elsewhere)], [{ ...createFileConnector({ ...elsewhere, path: outbox.outgoing }), kind: 'smtp' }]]
  for (const way of ways) {
    const { id } = await outbox.readyToRelease()
    const deps = { ...outbox.deps, connectors: () => createConnectors(way, { demonstration: false, accepted: false }) }
    assert.equal((await releaseDrafts(deps)).released, 0)
    assert.equal((await outbox.draft(id)).state, 'failed')
  }
  assert.deepEqual(sent(outbox), [])
})

test('a connector that refuses since the signature carries nothing', async (t) => {
  const smtp = (path: string) => [{ ...createFileConnector({ name: 'file', path, from: 'haus@example.org' }), kind: 'smtp' }]
  const outbox = await testOutbox(t, { connectors: smtp, isolation: { demonstration: true, accepted: true } })
  const { id } = await outbox.readyToRelease()
  const deps = { ...outbox.deps, connectors: () => createConnectors(smtp(outbox.outgoing), { demonstration: true, accepted: false }) }
  assert.equal((await releaseDrafts(deps)).released, 0)
  assert.match((await outbox.draft(id)).reason!, /share one user/)
})

test('when nothing left for certain, the draft failed; when nobody knows, it is a question for the operator', async (t) => {
  const failures: [Error, Connector['reconcile'], string][] = [
    [new Fault('unavailable', 'connector.not_sent', 'disk full'), undefined, 'failed'],
    [new Error('the connection broke off'), undefined, 'unknown'],
    [new Error('the connection broke off'), async () => undefined, 'unknown'],
    [new Error('the connection broke off'), async () => { throw new Error('nor can it be asked') }, 'unknown'],
    [new Error('the connection broke off'), async () => ({ id: 'seen' }), 'released'],
  ]
  for (const [failure, reconcile, state] of failures) {
    const outbox = await testOutbox(t, { connectors: scripted(() => Promise.reject(failure), reconcile) })
    const { id } = await outbox.readyToRelease()
    assert.equal(await releaseDraft(outbox.deps, id), state)
    assert.equal((await outbox.draft(id)).state, state)
    assert.equal(outbox.woken.length, state === 'unknown' ? 0 : 1)
    const { rows } = await outbox.database.owner.pool.query('select state from delivery')
    assert.equal(rows[0].state, state === 'released' ? 'delivered' : state)
    assert.equal((await releaseDrafts(outbox.deps)).released, 0)
  }
})

test('an open question is closed by the operator alone, and only once', async (t) => {
  const outbox = await testOutbox(t, { connectors: scripted(() => Promise.reject(new Error('broke off'))) })
  const { id } = await outbox.readyToRelease()
  await releaseDrafts(outbox.deps)
  assert.deepEqual(outbox.woken, [])
  assert.deepEqual(await resolveDraft(outbox.deps, id, 'released', 'Eva confirms'), { outcome: 'resolved' })
  assert.equal(outbox.woken.length, 1)
  assert.deepEqual(await resolveDraft(outbox.deps, id, 'failed', 'no'), { outcome: 'too_late', was: 'released' })
  assert.deepEqual(await resolveDraft(outbox.deps, (await outbox.freeze()).id, 'released', 'x'), { outcome: 'too_late', was: 'waiting' })
})

test('when the nonce cannot be recorded, nothing is sent', async (t) => {
  const outbox = await testOutbox(t)
  const deps = await outbox.reopenSpent({ append: () => Promise.reject(new Error('ENOSPC')) })
  const { id } = await outbox.readyToRelease()
  assert.equal(await releaseDraft(deps, id), 'failed')
  assert.match((await outbox.draft(id)).reason!, /nothing was sent/)
  assert.deepEqual(sent(outbox), [])
})

test('one draft that cannot leave does not keep the next from it', async (t) => {
  const outbox = await testOutbox(t)
  const one = await outbox.readyToRelease()
  await outbox.database.owner.pool.query(`update draft set wire = '' where id = $1`, [one.id])
  await outbox.readyToRelease({ ...aMail, subject: 'second' })
  assert.equal((await releaseDrafts(outbox.deps)).released, 1)
})
