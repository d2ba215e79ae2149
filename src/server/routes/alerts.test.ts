import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testServer, type TestServer } from '../../../test/support/server.ts'
import type { SecurityAlert, StatusView, TodayView } from '../api.ts'

const report = (server: TestServer, kind: string, subject: string, count = 1, ago = '0 s') =>
  server.database.owner.pool.query('select alert_report($1, $2, $3, now() - $4::interval, null)', [kind, subject, count, ago])
const list = async (server: TestServer, query = '') => (await server.get<SecurityAlert[]>(`/api/alerts${query}`)).data

test('alerts are listed the gravest first, in words, with what to do; those that are over only when asked for', async (t) => {
  const server = await testServer(t)
  await report(server, 'signin.failed', 'dashboard', 7)
  await report(server, 'audit.broken', 'batch 7')
  await report(server, 'process.down', 'server')
  await server.database.owner.pool.query(`select alert_over('process.down', 'server')`)
  const [broken, failed, ...others] = await list(server)
  assert.deepEqual(others, [])
  assert.deepEqual([broken!.kind, broken!.level, broken!.state, broken!.subject, broken!.count], ['audit.broken', 'critical', 'open', 'batch 7', 1])
  assert.match(broken!.mend, /castellan audit verify/)
  assert.deepEqual([failed!.what, failed!.count, failed!.closed_at], ['sign-ins failed again and again: dashboard', 7, null])
  assert.deepEqual((await list(server, '?all=1')).map(({ state }) => state), ['open', 'open', 'closed'])
  assert.equal((await list(server, '?limit=1')).length, 1)
})

test('the operator acknowledges one, which is on the record; it stays until it is over, and cannot be closed or deleted here', async (t) => {
  const server = await testServer(t)
  await report(server, 'nonce.replayed', 'post')
  const { id } = (await list(server))[0]!
  const { data } = await server.post<{ id: string; state: string }>(`/api/alerts/${id.slice(-8)}/ack`)
  assert.deepEqual(data, { id, state: 'acknowledged' })
  const { data: one } = await server.get<SecurityAlert>(`/api/alerts/${id.slice(0, 13)}`)
  assert.equal(one.state, 'acknowledged')
  assert.ok(one.acknowledged_at !== null)
  assert.deepEqual(await server.requests(), [{ subject: id, detail: { request: 'alert.acknowledge' } }])
  const { rows } = await server.database.owner.pool.query(`select actor, kind from audit_event where kind = 'alert.acknowledged'`)
  assert.deepEqual(rows, [{ actor: 'castellan_server', kind: 'alert.acknowledged' }])
  assert.deepEqual((await server.post<{ state: string }>(`/api/alerts/${id}/ack`)).data.state, 'acknowledged', 'twice is once')
  for (const method of ['DELETE', 'PATCH', 'PUT'] as const) assert.equal((await server.app.inject({ method, url: `/api/alerts/${id}` })).statusCode, 404)
})

test('an id that means none, more than one, or nothing at all says so', async (t) => {
  const server = await testServer(t)
  for (const [subject, id] of [['a', '11111111-0000-4000-8000-000000000001'], ['b', '11111111-0000-4000-8000-000000000002']] as const) {
    await report(server, 'page.stranger', subject)
    await server.database.owner.pool.query('update alert set id = $1 where subject = $2', [id, subject])
  }
  const ask = async (id: string) => {
    const { status, error } = await server.post(`/api/alerts/${id}/ack`)
    return [status, error.code]
  }
  assert.deepEqual(await ask('11111111'), [409, 'alert.ambiguous'])
  assert.deepEqual(await ask('22222222'), [404, 'alert.missing'])
  assert.deepEqual(await ask('%25%25%25%25'), [400, 'request.invalid'])
  assert.deepEqual(await ask('__________'), [400, 'request.invalid'])
  assert.deepEqual((await list(server)).map(({ state }) => state), ['open', 'open'])
})

test('status and today say how many are open; one that only informs needs nobody', async (t) => {
  const server = await testServer(t)
  await server.database.owner.pool.query(`insert into supervisor (pid, started_at, version, house, isolation) values (1, now(), '0.1.0', '/h', 'x')`)
  await report(server, 'isolation.demonstration', 'this machine')
  assert.equal((await server.get<TodayView>('/api/today')).data.state, 'calm')
  await report(server, 'audit.broken', 'batch 7')
  for (let n = 0; n < 25; n++) await report(server, 'command.refused', `job-${n}`)
  const { data: today } = await server.get<TodayView>('/api/today')
  assert.deepEqual([today.state, today.counts.needs_you, today.security_alerts.length, today.more_security_alerts], ['needs_you', 26, 20, 6])
  assert.equal(today.security_alerts[0]!.kind, 'audit.broken')
  assert.deepEqual((await server.get<StatusView>('/api/status')).data.alerts_open, { critical: 1, warning: 25, info: 1 })
})

test('the metrics of the house count open alerts by level and kind, and name no subject', async (t) => {
  const server = await testServer(t)
  const metrics = async () => (await server.loopback.inject({ url: '/metrics', headers: { host: '127.0.0.1:7400' } })).body
  assert.doesNotMatch(await metrics(), /castellan_alerts_open\{/)
  await report(server, 'command.refused', 'job-secret', 3)
  await report(server, 'command.refused', 'another')
  assert.match(await metrics(), /castellan_alerts_open\{level="warning",kind="command.refused"\} 2/)
  assert.doesNotMatch(await metrics(), /secret/)
  await server.post(`/api/alerts/${(await list(server))[0]!.id}/ack`)
  assert.match(await metrics(), /kind="command.refused"\} 1/)
  assert.equal((await server.loopback.inject({ url: '/metrics', headers: { host: 'evil.example' } })).statusCode, 403)
})
