import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { composedBy, failedDelivery } from '../../../test/support/attempt-delivery.ts'
import { startHttpReceiver, type HttpMisbehaviour } from '../../../test/support/http-receiver.ts'
import { testOutbox } from '../../../test/support/outbox.ts'
import { readOutboundAct, wordsOfAct } from '../acts/outbound-act.ts'
import { releaseDrafts } from '../release-drafts.ts'
import { connectorContract, documentFor } from './connector.contract.ts'
import { createConnectors } from './connectors.ts'
import { createHttpRequestConnector, type HttpRequestOptions } from './http-request.ts'

const credential = { header: 'authorization', prefix: 'Bearer ', secret: 'api-token', value: 'token-of-the-house' }
const request = { method: 'PUT', path: '/leads/7?notify=no', headers: { 'if-match': '"3"' }, body: { state: 'won', note: 'für Eva' } }
const body = '{"note":"für Eva","state":"won"}'
const { signal } = new AbortController()
const commit = async () => {}

function connectorTo(url: string, options: Partial<HttpRequestOptions> = {}) {
  return createHttpRequestConnector({ name: 'crm', url: `${url}/v1`, methods: ['GET', 'PUT', 'DELETE', 'POST'], credential, network: { isPrivate: true }, patience: { connect: 2_000, answer: 300 }, ...options })
}

async function opened(t: TestContext, options: Partial<HttpRequestOptions> = {}) {
  const server = await startHttpReceiver(t)
  const connector = connectorTo(server.url, options)
  return { server, connector, wire: await composedBy(connector, 'http.request', request) }
}

connectorContract('http', async (t) => {
  const { server, connector, wire } = await opened(t, { patience: { answer: 10_000 } })
  return { connector, act: { kind: 'http.request', wire, arrives: Buffer.from(body) }, arrived: async () => server.received.map((one) => one.body) }
})

test('method, path, headers and body are those that were signed, and the credential is added by the releaser', async (t) => {
  const { server, connector, wire } = await opened(t)
  const receipt = await connector.deliver(wire, documentFor(wire), signal, commit)
  const { method, path, headers, body: sent } = server.received[0]!
  assert.deepEqual([method, path, sent.toString(), headers['if-match'], headers['content-type'], headers.authorization], ['PUT', '/v1/leads/7?notify=no', body, '"3"', 'application/json', 'Bearer token-of-the-house'])
  assert.deepEqual([receipt['reply'], receipt['method']], ['200', 'PUT'])
  assert(!wire.includes('token-of-the-house') && !JSON.stringify(receipt).includes('token') && !connector.account.includes('token-of-the-house'))
  const words = wordsOfAct(readOutboundAct(wire)!)
  assert.match(words, /^Ask localhost:\d+: PUT http:\/\/localhost:\d+\/v1\/leads\/7\?notify=no\ncontent-type: application\/json\nif-match: "3"\nThe releaser adds the header authorization, out of the secret api-token\.\n/)
})

test('what spends money says how much, and above EUR 10, or unreadable, takes the passkey itself', async (t) => {
  const { server } = await opened(t)
  const connector = connectorTo(server.url, { spends: { amount: '/charge/amount', per: 100, currency: '/charge/currency' } })
  const frame = { id: crypto.randomUUID(), nonce: '00', at: new Date(), from: connector.account }
  const composed = (charge: unknown, method = 'POST') => connector.compose!('http.request', { method, path: '/charges', body: { charge } }, frame)
  const read = async (charge: unknown) => {
    const { title, findings } = await composed(charge)
    return [/^Spend ([A-Z]{3} [\d.]+): /.exec(title)?.[1], findings!.map((finding) => ('atLeast' in finding ? finding.atLeast : 0)).at(-1)]
  }
  assert.deepEqual(await read({ amount: 1000, currency: 'eur' }), ['EUR 10.00', 0])
  assert.deepEqual(await read({ amount: '1000', currency: 'EUR' }), ['EUR 10.00', 0])
  assert.deepEqual(await read({ amount: 1001, currency: 'EUR' }), ['EUR 10.01', 7])
  assert.deepEqual(await read({ amount: 100, currency: 'USD' }), ['USD 1.00', 7])
  for (const unreadable of [{ amount: -1000, currency: 'EUR' }, { amount: 'much', currency: 'EUR' }, { amount: '', currency: 'EUR' }, { amount: '1e3', currency: 'EUR' }, { amount: 1e21, currency: 'EUR' }, { amount: 1, currency: 'EURO' }, { amount: [1], currency: 'EUR' }, { currency: 'EUR' }, 7, null]) {
    assert.deepEqual(await read(unreadable), [undefined, 7], JSON.stringify(unreadable))
  }
  for (const twoWays of ['{"charge":{"amount":1,"amount":100000,"currency":"EUR"}}', '{"charge": {"amount":1,"currency":"EUR"}}', 'amount=1000']) {
    await assert.rejects(connector.compose!('http.request', { method: 'POST', path: '/charges', body: twoWays }, frame), /has to be an object/)
  }
  const { findings } = await connector.compose!('http.request', { method: 'GET', path: '/charges' }, frame)
  assert.deepEqual(findings, [])
})

test('requests without a body say so', async (t) => {
  const { server, connector } = await opened(t)
  for (const method of ['GET', 'DELETE']) {
    const wire = await composedBy(connector, 'http.request', { method, path: '/leads' })
    await connector.deliver(wire, documentFor(wire), signal, commit)
  }
  assert.deepEqual(server.received.map(({ method, headers, body: sent }) => [method, headers['content-length'], sent.length]), [['GET', undefined, 0], ['DELETE', '0', 0]])
})

test('a failure of the other side leaves open whether it was done, a refusal does not', async (t) => {
  const { server, connector, wire } = await opened(t)
  const ways: [HttpMisbehaviour, string][] = [
    [{ status: 403, body: 'no' }, 'connector.not_sent'], [{ status: 301 }, 'connector.not_sent'], [{ status: 303, headers: { location: '/done' } }, 'connector.unknown'], [{ status: 429, headers: { 'retry-after': '7' } }, 'connector.try_again'],
    [{ status: 500 }, 'connector.unknown'], [{ status: 503 }, 'connector.unknown'], ['cut', 'connector.unknown'], ['stall', 'connector.unknown'], [{ twice: [404, 200] }, 'connector.not_sent'],
  ]
  for (const [how, code] of ways) {
    server.misbehave(how)
    const outcome = await failedDelivery(connector, wire)
    assert.deepEqual([outcome.code, outcome.spent], [code, 1], JSON.stringify(how))
    assert(!outcome.message.includes('token-of-the-house'))
  }
})

test('a request cannot leave its host, its path or its methods, nor bring headers of the connection or of who asks', async (t) => {
  const { server, connector } = await opened(t)
  const refused: Record<string, unknown>[] = [
    { ...request, method: 'PATCH' }, { ...request, method: 'CONNECT' }, { ...request, path: 'leads' }, { ...request, path: '//evil.example/' }, { ...request, path: '/../admin' },
    { ...request, path: '/%2e%2e/admin' }, { ...request, path: '/a\\b' }, { ...request, path: '/a#b' }, { ...request, path: '/a b' }, { ...request, path: '/a\r\nX: y' }, { ...request, path: '/ü' },
    { ...request, method: 'GET' }, { ...request, url: 'http://evil.example' },
    ...['authorization', 'host', 'cookie', 'transfer-encoding', 'content-length', 'x-forwarded-for', 'connection', 'proxy-authorization', 'x-http-method-override', 'Authorization', 'x y'].map((name) => ({ ...request, headers: { [name]: 'x' } })),
    { ...request, headers: { 'x-a': 'b\r\nx-c: d' } }, { ...request, body: 'a\r\nb' },
  ]
  for (const payload of refused) await assert.rejects(composedBy(connector, 'http.request', payload), ({ kind }) => kind === 'invalid' || kind === 'refused', JSON.stringify(payload))
  const own = await opened(t, { credential: { ...credential, header: 'x-api-key' } })
  await assert.rejects(composedBy(own.connector, 'http.request', { ...request, headers: { 'x-api-key': 'mine' } }), { kind: 'refused' })
  assert.equal(server.connections, 0)
})

test('bytes of another method or path than the connector may now are not sent, nor without the secret', async (t) => {
  const { server, wire } = await opened(t)
  const narrower = connectorTo(server.url, { methods: ['GET'] })
  const cases: [ReturnType<typeof connectorTo>, Buffer][] = [
    [narrower, wire], [connectorTo(`${server.url}/v2`), wire], [connectorTo(server.url, { credential: { ...credential, value: undefined } }), wire],
    [connectorTo(server.url), Buffer.from(wire.toString().replace('"method":"PUT"', '"method":"PATCH"'))], [connectorTo(server.url), Buffer.from(wire.toString().replace('/v1/leads', '/admin'))],
  ]
  for (const [connector, bytes] of cases) assert.deepEqual((({ code, spent }) => [code, spent])(await failedDelivery(connector, bytes)), ['connector.not_sent', 0])
  assert.equal(server.received.length, 0)
})

test('a signed request leaves once, and a changed list of methods voids what was signed before', async (t) => {
  const server = await startHttpReceiver(t)
  const connector = connectorTo(server.url)
  const outbox = await testOutbox(t, { connectors: () => [connector] })
  const options = { kind: 'http.request', connector: 'crm' }
  const deletes = await outbox.freeze({ method: 'DELETE', path: '/leads/7' }, options)
  assert(deletes.risk >= 7, `deleting has risk ${deletes.risk}`)
  await outbox.readyToRelease(request, options)
  assert.equal((await releaseDrafts(outbox.deps)).released, 1)
  const second = await outbox.readyToRelease(request, options)
  const deps = { ...outbox.deps, connectors: () => createConnectors([connectorTo(server.url, { methods: ['PUT'] })], { demonstration: false, accepted: false }) }
  await releaseDrafts(deps)
  assert.match((await outbox.draft(second.id)).reason!, /leads elsewhere now/)
  assert.equal(server.received.length, 1)
})
