import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { codeOf, signedInBrowser, signIn } from '../../../test/support/browser.ts'
import { jobDefinition } from '../../../test/support/jobs.ts'
import { origin, testServer } from '../../../test/support/server.ts'
import type { SessionLine, SigninLink, TodayView } from '../api.ts'
import { createLoopbackApp, createSessions } from '../index.ts'

const host = new URL(origin).host
const minute = 60_000
const openapi = JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'openapi.json'), 'utf8')) as { paths: Record<string, Record<string, object>> }

test('a link signs a browser in once', async (t) => {
  const server = await testServer(t)
  const { data } = await server.post<SigninLink>('/api/signin/link')
  assert.match(data.url, /^http:\/\/127\.0\.0\.1:7400\/#signin=[\w-]{22}$/)
  const first = await signIn(server, codeOf(data.url))
  assert.equal(first.statusCode, 200)
  assert.match(String(first.headers['set-cookie']), /^castellan_session_7400=[\w-]{43}; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Strict$/)
  const second = await signIn(server, codeOf(data.url))
  assert.deepEqual([second.statusCode, second.json().error.code, second.headers['set-cookie']], [401, 'signin.refused', undefined])
})

test('of two that use one code at the same moment one gets in', async (t) => {
  const server = await testServer(t)
  const code = codeOf((await server.post<SigninLink>('/api/signin/link')).data.url)
  const answers = await Promise.all(Array.from({ length: 4 }, () => signIn(server, code)))
  assert.deepEqual(answers.map(({ statusCode }) => statusCode).sort(), [200, 401, 401, 401])
})

test('a code is good for ten minutes, and no longer', async (t) => {
  const server = await testServer(t)
  const [young, old] = await Promise.all([1, 2].map(async () => codeOf((await server.post<SigninLink>('/api/signin/link')).data.url)))
  server.clock.advance(10 * minute - 1)
  assert.equal((await signIn(server, young)).statusCode, 200)
  server.clock.advance(1)
  assert.equal((await signIn(server, old)).statusCode, 401)
})

test('no route of the api answers a browser that is not signed in', async (t) => {
  const server = await testServer(t, [jobDefinition({ name: 'any' })])
  const asked: string[] = []
  for (const [path, operations] of Object.entries(openapi.paths)) {
    for (const method of Object.keys(operations)) {
      if (path === '/api/signin') continue
      const url = path.replace('{name}', 'any').replace('{id}', '00000000-0000-7000-8000-000000000000')
      const { statusCode, body } = await server.loopback.inject({ method: method.toUpperCase() as 'GET', url, headers: { host, origin, cookie: 'castellan_session_7400=forged' } })
      assert.deepEqual([statusCode, JSON.parse(body).error.code], [401, 'session.missing'], `${method} ${path}`)
      asked.push(path)
    }
  }
  assert.ok(asked.length >= 28, `only ${asked.length} routes are known`)
  assert.deepEqual(await server.requests(), [])
})

test('the routes that the document names are those that are there', async (t) => {
  const server = await testServer(t)
  await Promise.all([server.app.ready(), server.loopback.ready()])
  for (const [path, operations] of Object.entries(openapi.paths)) {
    const url = path.replaceAll(/\{(\w+)\}/g, ':$1')
    const app = /^\/api\/(?:signin\/link|secrets\/.*)$/.test(path) ? server.app : server.loopback
    for (const method of Object.keys(operations)) assert.ok(app.hasRoute({ method: method.toUpperCase() as 'GET', url }), `${method} ${url}`)
  }
})

test('a link is made through the socket alone: who is signed in lets nobody in', async (t) => {
  const server = await testServer(t)
  const browser = await signedInBrowser(server)
  assert.deepEqual(await codeFor(browser.call('POST', '/api/signin/link')), [404, 'route.missing'])
})

test('no page starts processes anew or writes into the audit what was done with secrets', async (t) => {
  const server = await testServer(t)
  const browser = await signedInBrowser(server)
  for (const path of ['take', 'acts']) assert.deepEqual(await codeFor(browser.call('POST', `/api/secrets/${path}`)), [404, 'route.missing'])
})

test('nothing is changed for a page elsewhere, whatever it has got hold of', async (t) => {
  const server = await testServer(t, [jobDefinition({ name: 'any' })])
  const browser = await signedInBrowser(server)
  const forged = (headers: Record<string, string>) => codeFor(browser.call('POST', '/api/jobs/any/pause', { headers }))
  for (const wrong of ['https://evil.example', 'http://127.0.0.1:3000', 'http://127.0.0.1', 'http://localhost:7400', 'http://127.0.0.1:7400.evil.example', 'null', '']) {
    assert.deepEqual(await forged({ origin: wrong }), [403, 'origin.foreign'], `from ${wrong}`)
  }
  for (const site of ['cross-site', 'same-site', 'none']) assert.deepEqual(await forged({ 'sec-fetch-site': site }), [403, 'origin.foreign'], site)
  for (const name of ['localhost:7400', '127.0.0.1:7401', '127.0.0.1', '[::1]:7400']) assert.deepEqual(await forged({ host: name }), [403, 'host.unknown'], name)
  assert.deepEqual(await forged({ 'x-csrf-token': '' }), [403, 'csrf.missing'])
  const other = await signedInBrowser(server)
  assert.deepEqual(await forged({ 'x-csrf-token': other.csrf }), [403, 'csrf.missing'], 'the token of another session')
  assert.deepEqual(await forged({ cookie: other.cookie }), [403, 'csrf.missing'], 'the cookie of another session')
  assert.deepEqual(await forged({ cookie: '' }), [401, 'session.missing'])
  assert.deepEqual(await server.requests(), [])
  assert.deepEqual(await forged({}), [200, undefined])
})

test('nothing is read by a page elsewhere, nor under a name that was made to point here', async (t) => {
  const server = await testServer(t)
  const browser = await signedInBrowser(server)
  const read = (headers: Record<string, string>) => codeFor(browser.call('GET', '/api/today', { headers }))
  assert.deepEqual(await read({ 'sec-fetch-site': 'same-site' }), [403, 'origin.foreign'])
  assert.deepEqual(await read({ host: 'evil.example:7400' }), [403, 'host.unknown'])
  assert.deepEqual(await read({ host: 'localhost:7400' }), [403, 'host.unknown'])
  assert.deepEqual(await read({}), [200, undefined])
})

test('a page elsewhere cannot lock the operator out', async (t) => {
  const server = await testServer(t)
  // more than are counted as wrong codes, and more than one who is not signed in may ask within a minute
  for (let i = 0; i < 601; i += 1) {
    const { statusCode } = await server.loopback.inject({ method: 'POST', url: '/api/signin', headers: { host, origin: 'https://evil.example' }, payload: { code: 'guess' } })
    assert.equal(statusCode, 403)
  }
  assert.equal((await signIn(server)).statusCode, 200)
})

test('five wrong codes lock signing in for five minutes, also for the right one, and the operator is told', async (t) => {
  const server = await testServer(t)
  const browser = await signedInBrowser(server)
  for (let i = 0; i < 4; i += 1) assert.equal((await signIn(server, 'wrong')).statusCode, 401)
  server.clock.advance(5 * minute)
  for (let i = 0; i < 5; i += 1) assert.equal((await signIn(server, 'wrong')).statusCode, 401, 'the first four were too long ago')
  const locked = await signIn(server)
  assert.deepEqual([locked.statusCode, locked.json().error.code, locked.json().error.details], [429, 'signin.locked', { seconds: 300 }])
  assert.equal((await browser.call('GET', '/api/session')).status, 200, 'an open session goes on')

  const { rows } = await server.database.owner.pool.query("select actor, subject, detail from audit_event where kind = 'signin.locked'")
  assert.deepEqual(rows, [{ actor: 'castellan_server', subject: 'dashboard', detail: { failures: 5 } }])
  const today = await server.get<TodayView>('/api/today')
  assert.deepEqual([today.data.state, today.data.counts.needs_you, today.data.alerts.map(({ kind }) => kind)], ['needs_you', 1, ['signin.locked']])
  // the signing page is the releaser's, and locks by itself
  await server.database.as('castellan_releaser').pool.query(`select audit_append('signin.locked', 'signing', '{"failures": 5}', 1::smallint)`)
  const both = await server.get<TodayView>('/api/today')
  assert.deepEqual(both.data.alerts.map(({ what }) => /signing page/.test(what)), [true, false])
  const doctor = await server.get<{ id: string; status: string }[]>('/api/doctor')
  assert.equal(doctor.data.find(({ id }) => id === 'signin')?.status, 'warn')

  server.clock.advance(5 * minute)
  assert.equal((await signIn(server)).statusCode, 200)
})

test('a restart keeps sessions; signing out, revoking and thirty days without use end them', async (t) => {
  const server = await testServer(t)
  const [kept, left, revoked] = [await signedInBrowser(server), await signedInBrowser(server), await signedInBrowser(server)]
  const again = createLoopbackApp({ ...server.deps, sessions: createSessions({ ...server.deps, origin: () => origin }), origin: () => origin, pages: '/nowhere' })
  const afterRestart = await again.inject({ url: '/api/session', headers: { host, cookie: kept.cookie } })
  assert.equal(afterRestart.statusCode, 200)

  assert.equal((await left.call('POST', '/api/signout')).status, 200)
  assert.equal((await left.call('GET', '/api/session')).status, 401)
  const list = (await server.get<SessionLine[]>('/api/sessions')).data
  const { id } = (await revoked.call('GET', '/api/session')).body.data as SessionLine
  assert.deepEqual(list.map(({ state, browser }) => [state, browser]), [['open', 'lightMyRequest'], ['open', 'lightMyRequest']])
  assert.equal((await kept.call('POST', `/api/sessions/${id}/revoke`)).status, 200)
  assert.equal((await revoked.call('GET', '/api/session')).status, 401)
  assert.deepEqual(await codeFor(kept.call('POST', `/api/sessions/${id}/revoke`)), [404, 'session.unknown'])

  const day = 24 * 60 * minute
  server.clock.advance(29 * day)
  assert.equal((await kept.call('GET', '/api/session')).status, 200)
  server.clock.advance(29 * day)
  assert.equal((await kept.call('GET', '/api/session')).status, 200, 'use prolongs it')
  server.clock.advance(30 * day)
  assert.equal((await kept.call('GET', '/api/session')).status, 401)
})

test('a browser that asks too often waits; another one does not', async (t) => {
  const server = await testServer(t)
  const [busy, other] = [await signedInBrowser(server), await signedInBrowser(server)]
  const answers: number[] = []
  for (let i = 0; i < 601; i += 1) answers.push((await busy.call('GET', '/api/session')).status)
  assert.deepEqual([answers.slice(0, 600).every((status) => status === 200), answers[600]], [true, 429])
  assert.equal((await other.call('GET', '/api/session')).status, 200)
  server.clock.advance(minute)
  assert.equal((await busy.call('GET', '/api/session')).status, 200)
})

test('neither a code nor a token is stored, only their hashes', async (t) => {
  const server = await testServer(t)
  const code = codeOf((await server.post<SigninLink>('/api/signin/link')).data.url)
  const { cookie } = await signedInBrowser(server)
  const { rows } = await server.database.owner.pool.query<{ text: string }>(
    'select (select jsonb_agg(s) from web_session s)::text || (select jsonb_agg(c) from signin_code c)::text || (select jsonb_agg(e) from audit_event e)::text as text')
  assert.ok(rows[0]!.text.length > 100)
  for (const secret of [code, cookie.split('=')[1]!]) assert.ok(!rows[0]!.text.includes(secret) && !rows[0]!.text.includes(Buffer.from(secret).toString('hex')))
})

async function codeFor(answer: ReturnType<Awaited<ReturnType<typeof signedInBrowser>>['call']>): Promise<[number, string | undefined]> {
  const { status, code } = await answer
  return [status, code]
}

