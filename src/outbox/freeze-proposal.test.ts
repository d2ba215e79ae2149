import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aMail, testOutbox, untrustedInternal } from '../../test/support/outbox.ts'
import { textOfWire } from './compose/read-wire.ts'
import { createConnectors } from './connectors/connectors.ts'
import { createFileConnector } from './connectors/file.ts'
import { readDocument, sha256 } from './document.ts'
import { freezeProposal, freezeProposals } from './freeze-proposal.ts'
import { releaseDrafts } from './release-drafts.ts'

test('a proposal becomes a draft whose document says everything that is signed', async (t) => {
  const outbox = await testOutbox(t)
  const draft = await outbox.freeze({ ...aMail, bcc: ['max@example.org'] })
  const document = readDocument(draft.document)
  assert.equal(draft.state, 'waiting')
  assert.deepEqual(document.recipients, { to: ['Eva <eva@example.org>'], cc: [], bcc: ['max@example.org'] })
  assert.deepEqual(document.connector, { name: 'file', kind: 'file' })
  assert.equal(document.account, outbox.outgoing)
  assert.equal(document.from, 'Haus <haus@example.org>')
  assert.equal(document.title, 'Termin')
  assert.deepEqual(document.wire, { sha256: sha256(draft.wire), length: draft.wire.length })
  assert.deepEqual(document.label, untrustedInternal)
  assert.equal(document.origin.job, 'mail-job')
  assert.equal(document.origin.step, 'only')
  assert.equal(document.risk, draft.risk)
  assert.match(document.rollback, /undo/)
  assert.equal(textOfWire(draft.wire), aMail.text)
  assert.deepEqual(await outbox.audited(draft.id), ['draft.frozen'])
})

test('the label is that of the run as it is now, not that of the proposal', async (t) => {
  const outbox = await testOutbox(t)
  const { proposal, run } = await outbox.propose(aMail, { label: { level: 1, integrity: 'trusted', lanes: ['private'] } })
  await outbox.database.owner.pool.query(`update run set label_level = 3, label_integrity = 'untrusted', label_lanes = '{open,private}' where id = $1`, [run])
  assert.equal(await freezeProposal(outbox.deps, proposal), 'frozen')
  const { rows } = await outbox.database.owner.pool.query<{ id: string }>('select id from draft')
  const draft = await outbox.draft(rows[0]!.id)
  assert.deepEqual(draft.label, { level: 3, integrity: 'untrusted', lanes: ['open', 'private'] })
  assert(draft.risk >= 8)
})

test('the deadline follows kind and risk', async (t) => {
  const outbox = await testOutbox(t)
  const hours = (draft: { expiresAt: Date }) => (draft.expiresAt.getTime() - outbox.clock.now().getTime()) / 3_600_000
  assert.equal(hours(await outbox.freeze()), 72)
  assert.equal(hours(await outbox.freeze({ ...aMail, text: 'Unsere neue IBAN' })), 0.5)
})

test('a recipient is a stranger until something was released to him', async (t) => {
  const outbox = await testOutbox(t)
  const first = await outbox.readyToRelease()
  await releaseDrafts(outbox.deps)
  const second = await outbox.freeze({ ...aMail, to: ['EVA@example.org'] })
  assert.deepEqual([first, second].map((draft) => /nothing was ever sent/.test(draft.document)), [true, false])
  assert.equal(second.risk, first.risk - 1)
})

test('what cannot be frozen is refused with its reason, audited, and lets its run go on', async (t) => {
  const outbox = await testOutbox(t)
  const wrong: [unknown, Parameters<typeof outbox.propose>[1], RegExp][] = [
    [{ ...aMail, to: ['nobody'] }, {}, /not an address/],
    [{ ...aMail, subject: 'x\r\nBcc: y@z.de' }, {}, /control character U\+000D/],
    [{}, {}, /form/],
    [aMail, { kind: 'payment' }, /nothing of kind/],
    [aMail, { kind: 'toString' }, /nothing of kind/],
    [aMail, { connector: 'smtp' }, /no connector "smtp"/],
  ]
  for (const [payload, options, reason] of wrong) {
    const { proposal, run } = await outbox.propose(payload, options)
    assert.deepEqual(await freezeProposals(outbox.deps), { frozen: 0, refused: 1, more: false })
    const { rows } = await outbox.database.owner.pool.query('select state, refusal from proposal where id = $1', [proposal])
    assert.equal(rows[0].state, 'refused')
    assert.match(rows[0].refusal, reason)
    assert.deepEqual(await outbox.audited(proposal), ['draft.refused'])
    assert.deepEqual(outbox.woken.at(-1), { queue: 'runs_private', run })
  }
  assert.deepEqual(await freezeProposals(outbox.deps), { frozen: 0, refused: 0, more: false })
})

test('one proposal that cannot be frozen does not keep the next from it', async (t) => {
  const outbox = await testOutbox(t)
  await outbox.propose({})
  await outbox.propose()
  assert.deepEqual(await freezeProposals(outbox.deps), { frozen: 1, refused: 1, more: false })
})

test('a defect of ours refuses the proposal too, and a database that stops refuses nothing', async (t) => {
  const outbox = await testOutbox(t)
  const { proposal } = await outbox.propose()
  const stopped = Object.assign(new Error('terminating connection'), { code: '57P01' })
  const failing = (error: Error) => ({ ...outbox.deps, connectors: () => { throw error } })
  await assert.rejects(freezeProposal(failing(stopped), proposal), stopped)
  assert.equal(await freezeProposal(failing(new TypeError('x is not a function')), proposal), 'refused')
})

test('under one shared user a proposal for the outside is refused', async (t) => {
  const connectors = (path: string) => [{ ...createFileConnector({ name: 'smtp', path, from: 'haus@example.org' }), kind: 'smtp' }]
  const outbox = await testOutbox(t, { connectors, isolation: { demonstration: true, accepted: false } })
  const { proposal } = await outbox.propose(aMail, { connector: 'smtp' })
  assert.equal(await freezeProposal(outbox.deps, proposal), 'refused')
  const accepted = { ...outbox.deps, connectors: () => createConnectors(connectors(outbox.outgoing), { demonstration: true, accepted: true }) }
  const second = await outbox.propose(aMail, { connector: 'smtp' })
  assert.equal(await freezeProposal(accepted, second.proposal), 'frozen')
})

test('two freezers at once make one draft of a proposal', async (t) => {
  const outbox = await testOutbox(t)
  const { proposal } = await outbox.propose()
  const outcomes = await Promise.all([1, 2, 3].map(() => freezeProposal(outbox.deps, proposal)))
  assert.deepEqual(outcomes.sort(), ['frozen', 'gone', 'gone'])
})
