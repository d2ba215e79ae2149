import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { House } from '../../house/index.ts'
import type { Level } from '../../labels/index.ts'
import { snapshot, testOutbox, type TestOutbox } from '../../../test/support/outbox.ts'
import { readDraftDetail } from '../draft-detail.ts'
import { releaseDrafts } from '../release-drafts.ts'
import { sessionMaySign } from '../risk.ts'
import { undoDraft } from '../undo-draft.ts'
import { composeClearance, readClearance } from './clearance-act.ts'
import { proposeClearance, type WantedClearance } from './propose-clearance.ts'

const label = { level: 2 as Level, integrity: 'untrusted', lanes: ['client'] } as const
const house = {
  settings: {
    models: {
      upstreams: [
        { name: 'far', kind: 'openai', url: 'https://far.example/v1', zone: 'cloud' }, { name: 'other', kind: 'openai', url: 'https://other.example/v1', zone: 'cloud' },
        { name: 'box', kind: 'ollama', url: 'http://10.0.0.9:11434', zone: 'machine', own: true }, { name: 'near', kind: 'ollama', url: 'http://127.0.0.1:11434', zone: 'machine' },
      ],
      routes: {},
    },
    mail: { accounts: [{ name: 'contracts', kind: 'folder', path: '/x', label }] },
    folders: [],
  },
  labelRules: [{ folder: 'vault/ferreira', label }, { folder: 'vault/public', label: { ...label, lanes: [] } }, { source: 'mail', level: 3 }],
  lanes: [
    { name: 'client', worker: 'open', cloudClearance: 1, providers: ['far', 'near'] },
    { name: 'house', worker: 'private', cloudClearance: 1, providers: ['far', 'box'] },
    { name: 'private', worker: 'private', cloudClearance: -1, providers: ['near'] },
  ],
  jobs: [{ name: 'brief', lane: 'client' }],
} as unknown as House

const wanted: WantedClearance = { lane: 'client', upstream: 'far', expiresAt: new Date('2099-09-01T00:00:00.000Z') }

async function released(outbox: TestOutbox, draft: string): Promise<void> {
  assert.equal((await outbox.approve(draft)).outcome, 'decided')
  outbox.clock.advance(outbox.settings.holdMs)
  await releaseDrafts(outbox.deps)
}

const granted = async ({ database }: TestOutbox) => (await database.owner.pool.query('select lane, upstream, url, level, expires_at, revoked_at is null as good from clearance order by granted_at')).rows

test('a signed act grants exactly what its bytes say, once its hold is over, and not before', async (t) => {
  const outbox = await testOutbox(t)
  const { draft, risk } = await proposeClearance(outbox.deps, house, wanted)
  assert.ok(risk >= 8)
  assert.ok(!sessionMaySign(await outbox.draft(draft)), 'it takes the passkey itself, or the key of the terminal')
  assert.deepEqual(await granted(outbox), [])
  await outbox.approve(draft)
  await releaseDrafts(outbox.deps)
  assert.deepEqual(await granted(outbox), [])
  outbox.clock.advance(outbox.settings.holdMs)
  await releaseDrafts(outbox.deps)
  assert.equal((await outbox.draft(draft)).state, 'released')
  assert.deepEqual(await granted(outbox), [{ lane: 'client', upstream: 'far', url: 'https://far.example/v1', level: 2, expires_at: wanted.expiresAt, good: true }])
  assert.deepEqual(await outbox.audited(draft), ['draft.frozen', 'draft.decided', 'draft.releasing', 'clearance.granted', 'draft.released'])
})

test('what is shown says lane, provider, address, level, time, and what could then reach it', async (t) => {
  const outbox = await testOutbox(t)
  const { draft } = await proposeClearance(outbox.deps, house, wanted)
  const { text, origin, run, taint } = await readDraftDetail(outbox.database.owner.pool, draft, outbox.clock.now())
  for (const words of ['far at https://far.example/v1', 'lane client', 'P2 internal', 'Until: 2099-09-01', 'mailbox contracts, part of folder vault', 'brief', 'castellan lane unclear client --upstream far']) assert.ok(text?.includes(words), words)
  assert.deepEqual([origin?.run, origin?.job, run], [null, 'operator', null])
  assert.match(taint ?? '', /you proposed this yourself/)
})

test('a signature grants once: not again after it was taken back, and not when its row is made to wait again', async (t) => {
  const outbox = await testOutbox(t)
  const { draft } = await proposeClearance(outbox.deps, house, wanted)
  const restore = await snapshot(outbox)
  await released(outbox, draft)
  const { pool } = outbox.database.as('castellan_releaser')
  assert.deepEqual((await pool.query(`select cardinality(clearance_revoke('client', 'far')) as count`)).rows, [{ count: 1 }])
  await assert.rejects(pool.query('select clearance_grant($1)', [draft]), { code: '42501' })
  await restore()
  await assert.doesNotReject(outbox.approve(draft))
  outbox.clock.advance(outbox.settings.holdMs)
  await releaseDrafts(outbox.deps)
  assert.notEqual((await outbox.draft(draft)).state, 'released')
  assert.deepEqual(await granted(outbox), [])
})

test('an approval that was taken back grants nothing; what waits in its place may be signed anew', async (t) => {
  const outbox = await testOutbox(t)
  const { draft } = await proposeClearance(outbox.deps, house, { upstream: 'box', expiresAt: null })
  await outbox.approve(draft)
  const undone = await undoDraft(outbox.deps, draft)
  assert.ok(undone.outcome === 'undone')
  outbox.clock.advance(outbox.settings.holdMs)
  await releaseDrafts(outbox.deps)
  assert.deepEqual(await granted(outbox), [])
  await released(outbox, undone.draft)
  assert.deepEqual(await granted(outbox), [{ lane: null, upstream: 'box', url: 'http://10.0.0.9:11434', level: 3, expires_at: null, good: true }])
})

test('what is over by the time it is released grants nothing', async (t) => {
  const outbox = await testOutbox(t)
  const { draft } = await proposeClearance(outbox.deps, house, { ...wanted, expiresAt: new Date(outbox.clock.now().getTime() + 1_000) })
  await released(outbox, draft)
  assert.equal((await outbox.draft(draft)).state, 'failed')
  assert.deepEqual(await granted(outbox), [])
})

test('the database grants for no draft that is not being released with an approval, whoever says so', async (t) => {
  const outbox = await testOutbox(t)
  const { pool } = outbox.database.as('castellan_releaser')
  const { draft } = await proposeClearance(outbox.deps, house, wanted)
  const mail = await outbox.freeze()
  for (const id of [draft, mail.id, '00000000-0000-4000-8000-000000000000']) await assert.rejects(pool.query('select clearance_grant($1)', [id]), { code: '42501' })
  await outbox.database.owner.pool.query(`update draft set state = 'signed' where id = $1`, [draft])
  await outbox.database.owner.pool.query(`update draft set state = 'held' where id = $1`, [draft])
  await outbox.database.owner.pool.query(`update draft set state = 'releasing' where id = $1`, [draft])
  await assert.rejects(pool.query('select clearance_grant($1)', [draft]), { code: '42501' }, 'nobody approved it')
})

test('no run can propose such an act, and rules of the house cannot make it small', async (t) => {
  const outbox = await testOutbox(t, { settings: { risk: [{ when: { kind: 'lane.clear' }, add: -9, reason: 'written by a program' }] } })
  await assert.rejects(outbox.propose({}, { kind: 'lane.clear', connector: 'castellan.acts' }), { code: '23514' })
  assert.ok((await proposeClearance(outbox.deps, house, wanted)).risk >= 8)
})

for (const [what, asked, code] of [
  ['a lane that is not there', { ...wanted, lane: 'clients' }, 'lane.missing'],
  ['the lane of the house', { ...wanted, lane: 'house' }, 'clearance.house'],
  ['a lane without any cloud', { ...wanted, lane: 'private' }, 'clearance.lane'],
  ['an upstream that is not there', { ...wanted, upstream: 'fat' }, 'upstream.missing'],
  ['one that is near', { ...wanted, upstream: 'near' }, 'clearance.zone'],
  ['one that the lane does not allow', { ...wanted, upstream: 'other' }, 'clearance.provider'],
  ['a time that is over', { ...wanted, expiresAt: new Date(0) }, 'clearance.expires'],
  ['this machine as another one', { upstream: 'near', expiresAt: null }, 'clearance.own'],
] as const) {
  test(`${what} is refused before anything is proposed`, async (t) => {
    const outbox = await testOutbox(t)
    await assert.rejects(proposeClearance(outbox.deps, house, asked), { code })
    assert.deepEqual((await outbox.database.owner.pool.query('select id from proposal')).rows, [])
  })
}

test('bytes that say more, less or otherwise than such an act are none', async () => {
  const { wire } = await composeClearance('lane.clear', { lane: 'client', upstream: 'far', url: 'https://far.example/v1', level: 2, expires_at: null, shown: { sources: [], jobs: [] } })
  const text = wire.toString()
  readClearance(wire)
  for (const altered of [text.replace('"level":2', '"level":3'), text.replace('{', '{ '), text.replace('"lane":"client",', ''), text.replace('{', '{"a":1,'), text.replace('castellan-clearance/1', 'castellan-clearance/2')]) {
    assert.notEqual(altered, text)
    assert.throws(() => readClearance(Buffer.from(altered)), { code: 'clearance.wire' }, altered)
  }
  await assert.rejects(composeClearance('lane.clear', { lane: 'client', upstream: 'far', url: 'https://fаr.example/v1', level: 2, expires_at: null, shown: { sources: [], jobs: [] } }), { code: 'clearance.payload' })
})
