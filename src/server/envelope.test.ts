import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault, type FaultKind } from '../kernel/fault.ts'
import { testServer } from '../../test/support/server.ts'
import { failure } from './envelope.ts'
import { failureView } from './views/answer.ts'

test('every kind of fault has its status', () => {
  const statuses: Record<FaultKind, number> = { invalid: 400, refused: 403, missing: 404, conflict: 409, internal: 500, unavailable: 503, timeout: 504 }
  for (const [kind, status] of Object.entries(statuses)) {
    const told = failure(new Fault(kind as FaultKind, 'a.code', 'a message', { a: 1 }))
    assert.ok(failureView.safeParse(told.body).success)
    assert.deepEqual(told, { status, body: { ok: false, error: { code: 'a.code', message: 'a message', details: { a: 1 } } } })
  }
})

test('what is no fault is told without its words: they could hold what was in a query', () => {
  const { status, body } = failure(new Error('duplicate key: (secret)'))
  assert.equal(status, 500)
  assert.doesNotMatch(JSON.stringify(body), /secret/)
})

test('a body that is no JSON, a path that is none and a body too large answer in the envelope too', async (t) => {
  const { app } = await testServer(t)
  const broken = await app.inject({ method: 'POST', url: '/api/jobs/a/run', headers: { 'content-type': 'application/json' }, payload: '{' })
  assert.deepEqual([broken.statusCode, broken.json().ok, broken.json().error.code], [400, false, 'request.invalid'])
  const nowhere = await app.inject({ url: '/api/nothing?secret=1' })
  assert.deepEqual([nowhere.statusCode, nowhere.json().error], [404, { code: 'route.missing', message: 'there is no GET /api/nothing' }])
  const large = await app.inject({ method: 'POST', url: '/api/jobs/a/run', payload: { input: { text: 'x'.repeat(1_100_000) } } })
  assert.deepEqual([large.statusCode, large.json().error.code], [400, 'request.invalid'])
})

test('an answer that its schema does not know is a failure where answers are checked', async (t) => {
  const server = await testServer(t)
  t.mock.method(server.deps, 'reload', async () => ({ fresh: true, digest: 'd', problems: [], more: 'than is known' }))
  assert.deepEqual((await server.post('/api/reload')).status, 500)
})
