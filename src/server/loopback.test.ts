import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { testServer } from '../../test/support/server.ts'
import { jobDefinition } from '../../test/support/jobs.ts'
import type { ReadinessView } from './api.ts'

const host = '127.0.0.1:7400'

test('loopback tells how the server is, and nothing of what it holds', async (t) => {
  const server = await testServer(t, [jobDefinition({ name: 'secret-plan' })])
  const alive = await server.loopback.inject({ url: '/healthz', headers: { host } })
  assert.deepEqual(alive.json(), { ok: true, data: { state: 'alive' } })
  for (const url of ['/api/jobs', '/api/today', '/api/nothing', '/api/']) {
    const answer = await server.loopback.inject({ url, headers: { host } })
    assert.deepEqual([answer.statusCode, answer.json().error.code], [401, 'session.missing'], url)
  }
  const page = await server.loopback.inject({ url: '/', headers: { host } })
  assert.doesNotMatch(page.body, /secret-plan|<script|https?:\/\/(?!127)/)
})

test('the page brings its style by hash and may neither run script nor be framed', async (t) => {
  const { loopback } = await testServer(t)
  const { headers, body } = await loopback.inject({ url: '/', headers: { host } })
  const style = /<style>([\s\S]*)<\/style>/.exec(body)![1]!
  const hash = createHash('sha256').update(style).digest('base64')
  assert.equal(headers['content-security-policy'], `default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src 'sha256-${hash}'`)
  assert.match(String(headers['content-type']), /^text\/html/)
  assert.equal(headers['x-content-type-options'], 'nosniff')
})

test('a name that was made to point here is refused, on every path', async (t) => {
  const { loopback } = await testServer(t)
  for (const url of ['/', '/healthz', '/readyz', '/nothing']) {
    for (const wrong of ['evil.example', 'evil.example:7400', '127.0.0.1.evil.example', 'localhost.evil:7400', '127.0.0.1@evil:7400', '[::1].evil']) {
      const { statusCode } = await loopback.inject({ url, headers: { host: wrong } })
      assert.equal(statusCode, 403, `${url} as ${wrong}`)
    }
    for (const right of ['localhost:7400', '127.0.0.1', '[::1]:7400', 'LOCALHOST:1']) {
      assert.notEqual((await loopback.inject({ url, headers: { host: right } })).statusCode, 403, right)
    }
  }
})

test('readiness names each part, and is 503 while one is not there', async (t) => {
  const server = await testServer(t)
  const ready = async () => {
    const answer = await server.loopback.inject({ url: '/readyz', headers: { host } })
    const body = answer.json<{ data: ReadinessView } | { error: { details: ReadinessView } }>()
    const { parts } = 'data' in body ? body.data : body.error.details
    return { status: answer.statusCode, missing: parts.filter((part) => !part.ready).map((part) => part.name) }
  }
  assert.deepEqual(await ready(), { status: 200, missing: [] })
  server.tick = undefined
  assert.deepEqual(await ready(), { status: 503, missing: ['scheduler'] })
  server.tick = new Date(server.clock.now().getTime() - 60_000)
  assert.deepEqual(await ready(), { status: 503, missing: ['scheduler'] })
  server.tick = server.clock.now()
  await server.database.owner.pool.query('delete from schema_meta where version = (select max(version) from schema_meta)')
  assert.deepEqual(await ready(), { status: 503, missing: ['migrations'] })
  await server.database.owner.pool.query('revoke select on schema_meta from public')
  assert.deepEqual(await ready(), { status: 503, missing: ['database', 'migrations'] })
})

test('a server that is stopping is not ready, though every part is', async (t) => {
  const server = await testServer(t)
  server.deps.readiness.stopping()
  const answer = await server.loopback.inject({ url: '/readyz', headers: { host } })
  assert.deepEqual([answer.statusCode, answer.json().error.message], [503, 'server: stopping'])
  assert.equal((await server.loopback.inject({ url: '/healthz', headers: { host } })).statusCode, 200)
})
