import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import fastify from 'fastify'
import { aMail, testOutbox, type TestOutboxOptions } from '../../test/support/outbox.ts'
import type { Fault } from '../kernel/fault.ts'
import { createFileConnector } from './connectors/file.ts'
import { releaseDrafts } from './release-drafts.ts'
import { outboxRoutes } from './routes.ts'
import { enrolmentChallenge, signChallenge } from './signature.ts'

async function served(t: TestContext, options: TestOutboxOptions = {}) {
  const outbox = await testOutbox(t, options)
  const app = fastify()
  let changes = 0
  // stands for the releaser's own, which maps a Fault to a status
  app.setErrorHandler((error, _request, reply) => {
    const { kind, code, message, details } = error as Fault
    return reply.status(kind === 'conflict' ? 409 : kind === 'missing' ? 404 : kind === 'refused' ? 403 : 400).send({ ok: false, error: { code, message, details } })
  })
  outboxRoutes(app, { ...outbox.deps, onChange: () => (changes += 1) })
  t.after(() => app.close())
  const call = async (method: 'GET' | 'POST', url: string, payload?: object) => {
    const response = await app.inject({ method, url, ...(payload && { payload }) })
    const body = response.json()
    return { status: response.statusCode, data: body.data, error: body.error }
  }
  return { outbox, call, changes: () => changes }
}

test('a draft is shown with everything a page needs, and its challenge can be computed from it alone', async (t) => {
  const { outbox, call } = await served(t)
  const { id } = await outbox.freeze({ ...aMail, bcc: ['max@example.org'], text: 'Grüße,\nIBAN' })
  const { data } = await call('GET', `/drafts/${id}`)
  assert.equal(data.state, 'waiting')
  assert.equal(createHash('sha256').update(`castellan/1${data.document}`).digest('hex'), data.challenge)
  assert.equal(createHash('sha256').update(Buffer.from(data.wire, 'base64')).digest('hex'), data.sha256)
  assert.equal(JSON.parse(data.document).wire.sha256, data.sha256)
  assert.deepEqual(data.recipients, { to: ['Eva <eva@example.org>'], cc: [], bcc: ['max@example.org'] })
  assert.equal(data.text, 'Grüße,\nIBAN\n')
  assert.equal(data.high_risk, true)
  assert(data.reasons.length >= 4)
  assert.deepEqual(data.label, { level: 2, word: 'P2 internal', text: 'P2 internal, untrusted, lane private', integrity: 'untrusted', lanes: ['private'] })
  assert.equal(data.seconds_left, 1800)
  assert.equal(data.origin.job, 'mail-job')
  assert.match(data.rollback, /undo/)
  assert.deepEqual(data.history.map((line: { event: string }) => line.event), ['frozen'])
  assert.equal(data.problem, null)
})

test('of a draft whose time was over its end is told, and why its words are not', async (t) => {
  const { outbox, call } = await served(t)
  const { id } = await outbox.freeze()
  await call('POST', `/drafts/${id}/decide`, { verdict: 'deny' })
  await outbox.database.owner.pool.query(`update draft set document = '', wire = '', summary = '{}'`) // as the sweep does
  for (const shown of [(await call('GET', '/drafts')).data[0], (await call('GET', `/drafts/${id}`)).data]) {
    assert.deepEqual([shown.id, shown.state, shown.title], [id, 'denied', null])
    assert.match(shown.problem, /its time was over/)
  }
})

test('from the list to the receipt: approve, undo, approve again, release', async (t) => {
  const { outbox, call, changes } = await served(t)
  const { id } = await outbox.freeze()
  const approve = async (draft: string) => {
    const { data } = await call('GET', `/drafts/${draft}`)
    return call('POST', `/drafts/${draft}/decide`, { verdict: 'approve', keyId: outbox.key.id, signature: outbox.key.sign(data.document) })
  }
  assert.deepEqual((await call('GET', '/drafts?state=waiting,held')).data.map((draft: { id: string }) => draft.id), [id])
  assert.equal((await approve(id)).data.state, 'held')
  const undone = (await call('POST', `/drafts/${id}/undo`)).data
  assert.equal(undone.outcome, 'undone')
  assert.equal((await approve(undone.draft)).data.state, 'held')
  assert.equal(changes(), 3)
  outbox.clock.advance(10_000)
  await releaseDrafts(outbox.deps)
  const { data } = await call('GET', `/drafts/${undone.draft}`)
  assert.equal(data.state, 'released')
  assert.deepEqual(data.history.map((line: { event: string }) => line.event).sort(), ['approved', 'approved', 'frozen', 'frozen', 'released', 'releasing', 'undone'])
  assert(data.history.at(-1).receipt.file)
  assert.deepEqual((await call('GET', '/drafts?state=waiting')).data, [])
})

test('a second decision is a conflict that says what was decided', async (t) => {
  const { outbox, call } = await served(t)
  const { id } = await outbox.freeze()
  assert.equal((await call('POST', `/drafts/${id}/decide`, { verdict: 'deny', reason: 'no' })).status, 200)
  const { status, error } = await call('POST', `/drafts/${id}/decide`, { verdict: 'deny' })
  assert.equal(status, 409)
  assert.deepEqual(error.details, { outcome: 'too_late', was: 'denied' })
  assert.equal((await call('POST', `/drafts/${id}/undo`)).status, 409)
  assert.equal((await call('POST', `/drafts/${id}/resolve`, { outcome: 'released', reason: 'x' })).status, 409)
})

test('what a request leaves out or invents is refused before anything is decided', async (t) => {
  const { outbox, call, changes } = await served(t)
  const { id } = await outbox.freeze()
  for (const body of [
    undefined, {}, { verdict: 'approve' }, { verdict: 'approve', keyId: outbox.key.id }, { verdict: 'approve', keyId: outbox.key.id, signature: 'not base64!' },
    { verdict: 'release' }, { verdict: ['approve'] }, { approved: true },
  ]) {
    assert.equal((await call('POST', `/drafts/${id}/decide`, body)).status, 400, JSON.stringify(body))
  }
  for (const signature of ['', 'AAAA', Buffer.alloc(64).toString('base64')]) {
    assert.equal((await call('POST', `/drafts/${id}/decide`, { verdict: 'approve', keyId: outbox.key.id, signature })).status, 403)
  }
  assert.equal((await call('GET', '/drafts/nonsense')).status, 400)
  assert.equal((await call('GET', '/drafts?state=nonsense')).status, 400)
  assert.equal((await call('GET', '/drafts/019514a0-0000-7000-8000-000000000001')).status, 404)
  assert.equal((await outbox.draft(id)).state, 'waiting')
  assert.equal(changes(), 0)
})

test('a row that was altered is shown as what it is', async (t) => {
  const { outbox, call } = await served(t)
  const { id } = await outbox.freeze()
  await outbox.database.owner.pool.query(`update draft set wire = wire || 'x' where id = $1`, [id])
  assert.match((await call('GET', `/drafts/${id}`)).data.problem, /not those/)
  await outbox.database.owner.pool.query(`update draft set document = document || ' ' where id = $1`, [id])
  const { data } = await call('GET', `/drafts/${id}`)
  assert.match(data.problem, /canonical/)
  assert.equal(data.text, null)
  assert.equal((await call('GET', '/drafts')).data[0].title, null)
})

test('a key is enrolled with its proof, listed and revoked, each with its event', async (t) => {
  const { outbox, call } = await served(t)
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const text = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
  const body = { publicKey: text, scope: 'operator', name: 'laptop', signature: signChallenge(privateKey, enrolmentChallenge(text, 'operator', 'laptop')) }
  assert.equal((await call('POST', '/keys/enroll', { ...body, name: 'phone' })).error.code, 'key.proof')
  const { data: key } = await call('POST', '/keys/enroll', body)
  assert.equal(key.name, 'laptop')
  assert.equal((await call('POST', '/keys/enroll', body)).data.id, key.id)
  assert.equal((await call('GET', '/keys')).data.length, 2)
  assert.notEqual((await call('POST', `/keys/${key.id}/revoke`)).data.revoked_at, null)
  assert.equal((await call('POST', `/keys/${encodeURIComponent(key.id)}/revoke`)).status, 200)
  assert.deepEqual(await outbox.audited(key.id), ['key.enrolled', 'key.revoked'])
})

test('an edit over the socket answers with the detail of the new draft, and a second tab with a conflict', async (t) => {
  const { outbox, call, changes } = await served(t)
  const { id } = await outbox.freeze()
  const { data: shown } = await call('GET', `/drafts/${id}`)
  const edit = { challenge: shown.challenge, recipients: shown.recipients, subject: shown.title, text: `${'Zeile\n'.repeat(170_000)}` }
  const { status, data } = await call('POST', `/drafts/${id}/edit`, edit)
  assert.equal(status, 201)
  assert.deepEqual([data.state, data.replaces, data.text, data.first.text], ['waiting', id, edit.text, aMail.text])
  const second = await call('POST', `/drafts/${id}/edit`, edit)
  assert.deepEqual([second.status, second.error.code, second.error.details.was], [409, 'draft.too_late', 'replaced'])
  assert.equal((await call('POST', `/drafts/${data.id}/edit`, edit)).error.code, 'draft.changed')
  assert.equal((await call('POST', `/drafts/${data.id}/edit`, { ...edit, challenge: data.challenge, from: 'x' })).status, 400)
  assert.equal((await call('POST', `/drafts/${data.id}/edit`, { ...edit, challenge: data.challenge, subject: 'a\nb' })).error.code, 'mail.control')
  assert.equal(changes(), 1)
})

test('a snoozed draft is listed when asked for, and what is no moment is refused', async (t) => {
  const { outbox, call } = await served(t)
  const { id } = await outbox.freeze()
  const until = new Date(outbox.clock.now().getTime() + 3_600_000).toISOString()
  assert.deepEqual((await call('POST', `/drafts/${id}/snooze`, { until })).data, { outcome: 'snoozed', until })
  assert.deepEqual((await call('GET', '/drafts')).data, [])
  assert.equal((await call('GET', '/drafts?snoozed=true')).data[0].snoozed_until, until)
  for (const body of [{}, { until: 'tomorrow' }, { until: 5 }, { until: '2020-01-01T00:00:00Z' }]) assert.equal((await call('POST', `/drafts/${id}/snooze`, body)).status, 400, JSON.stringify(body))
  assert.equal((await call('POST', `/drafts/${id}/snooze`, { until: null })).data.until, null)
})

test('what was released is undone where its connector can, once, and is too late anywhere else', async (t) => {
  let undone = 0
  const { outbox, call } = await served(t, { connectors: (path) => ['file', 'other'].map((name) => ({
    ...createFileConnector({ name, path, from: 'haus@example.org' }), ...(name === 'other' && { undo: async () => ({ restored: (undone += 1) }) }),
  })) })
  const [able, unable] = [await outbox.readyToRelease(aMail, { connector: 'other' }), await outbox.readyToRelease(aMail)]
  await releaseDrafts(outbox.deps)
  const { status, data } = await call('POST', `/drafts/${able.id}/undo`)
  assert.deepEqual([status, data.outcome, data.receipt.restored, undone], [200, 'taken_back', 1, 1])
  assert.equal((await call('POST', `/drafts/${able.id}/undo`)).error.code, 'draft.not_undone')
  assert.equal((await call('POST', `/drafts/${unable.id}/undo`)).error.code, 'draft.too_late')
  assert.equal((await call('GET', `/drafts/${able.id}`)).data.history.at(-1).receipt.restored, 1)
  assert.equal(undone, 1)
})
