import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { gateDatabase, openRun, startGate, until } from '../../test/support/gate.ts'
import { startModelServer } from '../../test/support/model-server.ts'
import { listAlerts } from '../health/index.ts'

const database = await gateDatabase(['near', 'far'])

const ask = async (address: string, key: string) =>
  (await fetch(`${address}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: 'Hello' }], max_tokens: 50 }),
  })).status

test('an upstream that leads a call elsewhere is an alert that names it, and nothing goes there', async (t) => {
  let strangers = 0
  const elsewhere = createServer((_request, response) => (strangers++, response.end('{}'))).listen(0, '127.0.0.1')
  const port = await new Promise<number>((resolve) => elsewhere.once('listening', () => resolve((elsewhere.address() as AddressInfo).port)))
  const upstream = createServer((_request, response) => response.writeHead(307, { location: `http://127.0.0.1:${port}/` }).end()).listen(0, '127.0.0.1')
  await new Promise((resolve) => upstream.once('listening', resolve))
  t.after(() => (elsewhere.close(), upstream.close()))
  const gate = await startGate(database, 'gate-local', {
    upstreams: [{ name: 'near', kind: 'openai', url: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`, zone: 'machine', models: ['one'] }] as never,
    routes: { default: [{ upstream: 'near', model: 'one' }] } as never,
  })
  t.after(() => gate.stop())
  const { key } = await openRun(database, 'private', 1)
  assert.equal(await ask(gate.address, key), 503)
  const alerts = () => listAlerts(database.as('castellan_server'), 'now', 10)
  await until(async () => (await alerts()).length > 0, 'the alert')
  assert.deepEqual((await alerts()).map(({ kind, subject, code }) => [kind, subject, code]), [['outbound.unexpected', 'near', 'upstream.redirected']])
  assert.equal(strangers, 0)
})

test('six calls above what a cloud model may see are an alert of its gate; five are not', async (t) => {
  const server = await startModelServer({ models: [{ name: 'scripted:latest' }] })
  t.after(() => server.close())
  const gate = await startGate(database, 'gate-cloud', { upstreams: [{ name: 'far', kind: 'ollama', url: server.url, zone: 'cloud' }] as never })
  t.after(() => gate.stop())
  const { key } = await openRun(database, 'open', 2)
  const watched = async () => (await database.owner.pool.query<{ seen: number }>(`select coalesce(sum(count), 0)::int as seen from alert_signal where kind = 'label.refused'`)).rows[0]!.seen
  const alerts = async () => (await listAlerts(database.as('castellan_server'), 'now', 10)).filter(({ kind }) => kind === 'label.refused')
  for (let n = 0; n < 5; n++) assert.equal(await ask(gate.address, key), 403)
  await until(async () => (await watched()) === 5, 'the first five')
  assert.deepEqual(await alerts(), [])
  assert.equal(await ask(gate.address, key), 403)
  await until(async () => (await alerts()).length > 0, 'the alert')
  assert.deepEqual((await alerts()).map(({ kind, subject, code, count }) => [kind, subject, code, count]), [['label.refused', 'gate-cloud', 'label_refused', 6]])
})
