import assert from 'node:assert/strict'
import { test } from 'node:test'
import { githubHeaders, secrets, testListener, webhook, type TestListener } from '../../test/support/webhooks.ts'

const body = '{"ref":"refs/heads/main"}'
const hub = webhook('hub', 'github')
const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1])

/** A request as text, signed well unless its headers say otherwise. */
function written(headers: Record<string, string | string[]>, text: string, path = '/hooks/hub'): string {
  const lines = Object.entries(headers).flatMap(([name, values]) => [values].flat().map((value) => `${name}: ${value}`))
  return [`POST ${path} HTTP/1.1`, 'host: example.org', ...lines, '', text].join('\r\n')
}
const chunked = (...parts: string[]) => `${parts.map((part) => `${Buffer.byteLength(part).toString(16)}\r\n${part}\r\n`).join('')}0\r\n\r\n`

test('nothing but POST /hooks/NAME is there, and everything else looks like a name that is not', async (t) => {
  const { url, raw, post } = await testListener(t, [hub])
  const nobody = await post('/hooks/nobody', githubHeaders(body), body)
  const others = await Promise.all([
    ...['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'].map((method) => fetch(`${url}/hooks/hub`, { method })),
    ...['/', '/hooks', '/hooks/', '/api/status', '/healthz', '/metrics', '/hooks/hub/secret', '/hooks/hub/a/b', '/HOOKS/hub', `/hooks/${'a'.repeat(500)}`].map((path) => fetch(`${url}${path}`, { method: 'POST' })),
  ])
  for (const answer of others) assert.deepEqual([answer.status, await answer.text(), answer.url], [404, '', answer.url])
  assert.deepEqual([nobody.status, nobody.text], [404, ''])
  assert.equal(statusOf(await raw('POST /hooks/%E0%A4%A HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\nconnection: close\r\n\r\n')), 404)
  assert.equal(statusOf(await raw('nonsense\r\n\r\n')), 400)
})

test('a name that is not declared, a forged signature, another content type and a webhook without its secret are answered alike, to the last header', async (t) => {
  const listener = await testListener(t, [hub, webhook('bare', 'github'), webhook('weak', 'stripe', { secrets: [{ secret: 'short' }] })], { secrets: { hub: secrets.hub, short: 'abc' } })
  const good = githubHeaders(body)
  const forged = githubHeaders(body, { secret: secrets.old })
  const answers = await Promise.all([
    listener.post('/hooks/nobody', good, body), listener.post('/hooks/hub', forged, body), listener.post('/hooks/hub', { ...good, 'content-type': 'text/plain' }, body),
    listener.post('/hooks/bare', good, body), listener.post('/hooks/weak', good, body), listener.post('/hooks/hub', { ...good, 'content-encoding': 'gzip' }, body),
  ])
  for (const { status, text, headers } of answers) assert.deepEqual([status, text, Object.keys(headers).sort()], [404, '', Object.keys(answers[0]!.headers).sort()])
  assert.deepEqual(await listener.counts(), { '? unknown': 1, 'hub forged': 1, 'hub type': 2, 'bare unready': 1, 'weak unready': 1 })
})

test('a header that stands there twice is neither the one nor the other', async (t) => {
  const listener = await testListener(t, [hub])
  const good = githubHeaders(body) as Record<string, string>
  for (const name of ['x-hub-signature-256', 'x-github-delivery', 'content-type']) {
    const answer = await listener.raw(written({ ...good, [name]: [good[name]!, name === 'content-type' ? 'text/plain' : good[name]!], 'content-length': String(body.length), connection: 'close' }, body))
    assert.notEqual(statusOf(answer), 202, name)
  }
  assert.notEqual(statusOf(await listener.raw(written({ ...good, 'content-length': [String(body.length), '3'], connection: 'close' }, body))), 202)
  assert.equal((await listener.events()).length, 0)
})

test('a body that says it is too large is not read, one that does not say so is cut off', async (t) => {
  const listener = await testListener(t, [webhook('hub', 'github', { bytes: 1_000 })])
  const long = JSON.stringify({ a: 'x'.repeat(1_000) })
  const announced = await listener.raw(written({ ...githubHeaders(long), 'content-length': '999999999' }, ''))
  assert.deepEqual([statusOf(announced), /connection: close/i.test(announced)], [413, true])
  const started = performance.now()
  assert.equal(statusOf(await listener.raw(written({ ...githubHeaders(long), 'transfer-encoding': 'chunked' }, chunked(long.slice(0, 600), long.slice(600))))), 413)
  assert.ok(performance.now() - started < 5_000)
  assert.deepEqual([(await listener.counts())['hub size'], (await listener.events()).length], [2, 0])
})

test('exactly as much as is allowed is taken, in pieces and without a length too', async (t) => {
  const listener = await testListener(t, [webhook('hub', 'github', { bytes: 1_000 })])
  const exact = JSON.stringify({ a: 'x'.repeat(992) })
  assert.equal(exact.length, 1_000)
  const answer = await listener.raw(written({ ...githubHeaders(exact), 'transfer-encoding': 'chunked', connection: 'close' }, chunked(exact.slice(0, 1), exact.slice(1, 500), exact.slice(500))))
  assert.equal(statusOf(answer), 202)
  assert.deepEqual((await listener.events()).map((event) => event.body), [exact])
})

test('a body that does not come in its time is given up', async (t) => {
  const listener = await testListener(t, [hub], { bodyMs: 150 })
  const answer = await listener.raw(written({ ...githubHeaders(body), 'content-length': String(body.length) }, body.slice(0, 5)))
  assert.deepEqual([statusOf(answer), (await listener.counts())['hub slow'], (await listener.events()).length], [408, 1, 0])
})

test('more than so many within a minute are told to come again, good ones too, and only those of that name', async (t) => {
  const listener = await testListener(t, [webhook('hub', 'github', { perMinute: 2 }), webhook('old', 'github')])
  const statuses: number[] = []
  for (const n of [1, 2, 3, 4]) statuses.push((await send(listener, 'hub', `{"n":${n}}`)).status)
  assert.deepEqual(statuses, [202, 202, 429, 429])
  assert.equal((await send(listener, 'hub', '{"n":5}')).headers['retry-after'], '60')
  assert.equal((await send(listener, 'old', '{"n":6}', secrets.old)).status, 202)
  listener.clock.advance(60_000)
  assert.equal((await send(listener, 'hub', '{"n":3}')).status, 202)
  assert.equal((await listener.counts())['hub rate'], 3)
})

test('while the database does not answer, nothing is said to be taken in', async (t) => {
  const listener = await testListener(t, [hub])
  await listener.database.owner.pool.query('revoke execute on function inbound_store from castellan_listener')
  assert.equal((await send(listener, 'hub', body)).status, 503)
  await listener.database.owner.pool.query('grant execute on function inbound_store to castellan_listener')
  assert.equal((await send(listener, 'hub', body)).status, 202)
})

test('a flood of forgeries is a handful of rows, and no word of them is in the audit', async (t) => {
  const listener = await testListener(t, [hub])
  await Promise.all(Array.from({ length: 50 }, () => listener.post('/hooks/hub', githubHeaders(body, { secret: secrets.old }), '{"word":"of a stranger"}')))
  assert.equal((await listener.counts())['hub forged'], 50)
  const { rows } = await listener.database.owner.pool.query<{ subject: string; detail: { reason: string; count: number } }>(`select subject, detail from audit_event where kind = 'webhook.refused'`)
  assert.ok(rows.length <= 3, `${rows.length}`)
  assert.equal(rows.reduce((sum, { detail }) => sum + detail.count, 0), 50)
  assert.ok(rows.every(({ subject, detail }) => subject === 'hub' && Object.keys(detail).length === 2))
})

function send(listener: TestListener, name: string, text: string, secret: string = secrets.hub) {
  return listener.post(`/hooks/${name}`, githubHeaders(text, { secret }), text)
}
