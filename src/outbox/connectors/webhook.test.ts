import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { createServer, type AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { composedBy, failedDelivery } from '../../../test/support/attempt-delivery.ts'
import { startHttpReceiver, type HttpMisbehaviour } from '../../../test/support/http-receiver.ts'
import { testOutbox } from '../../../test/support/outbox.ts'
import type { Fault } from '../../kernel/fault.ts'
import { createManualClock } from '../../kernel/clock.ts'
import { readOutboundAct, wordsOfAct } from '../acts/outbound-act.ts'
import { releaseDrafts } from '../release-drafts.ts'
import { connectorContract, documentFor } from './connector.contract.ts'
import { createConnectors } from './connectors.ts'
import { createWebhookConnector, signWebhook, type WebhookOptions } from './webhook.ts'

const key = Buffer.alloc(32, 7)
const secret = { secret: 'hook', value: `whsec_${key.toString('base64')}` }
const clock = createManualClock(new Date('2026-03-02T09:00:00.000Z'))
const notice = { body: { type: 'lead.new', data: { name: 'Eva Grün', count: 2 } } }
const body = '{"data":{"count":2,"name":"Eva Grün"},"type":"lead.new"}'
const { signal } = new AbortController()
const commit = async () => {}

function connectorTo({ url, ca }: { url: string; ca?: string | undefined }, options: Partial<WebhookOptions> = {}) {
  return createWebhookConnector({ name: 'hook', url: `${url}/in?from=house`, secret, network: { isPrivate: true, ca }, clock, patience: { connect: 2_000, answer: 300 }, ...options })
}

async function opened(t: TestContext, options: Partial<WebhookOptions> & { secure?: boolean } = {}) {
  const server = await startHttpReceiver(t, { secure: options.secure ?? false })
  const connector = connectorTo(server, options)
  return { server, connector, wire: await composedBy(connector, 'webhook', notice) }
}

for (const secure of [false, true]) {
  connectorContract(`webhook over ${secure ? 'https' : 'http'}`, async (t) => {
    const { server, connector, wire } = await opened(t, { secure, patience: { answer: 10_000 } })
    return { connector, act: { kind: 'webhook', wire, arrives: Buffer.from(body) }, arrived: async () => server.received.map((one) => one.body) }
  })
}

test('the signature is that of Standard Webhooks', () => {
  // computed by the reference library (standardwebhooks 1.0)
  const known = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64')
  assert.equal(signWebhook(known, 'msg_p5jXN8AQM9LWM0D4loKWxJek', '1614265330', '{"test": 2432232314}'), 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
})

test('a receiver can tell our notice by its signature, and a second one by its id', async (t) => {
  const { server, connector, wire } = await opened(t)
  const document = documentFor(wire)
  const receipt = await connector.deliver(wire, document, signal, commit)
  await connector.deliver(wire, document, signal, commit)
  const [first, second] = server.received
  assert.deepEqual([first!.method, first!.path, first!.headers['content-type'], first!.body.toString()], ['POST', '/in?from=house', 'application/json', body])
  const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature } = first!.headers
  assert.deepEqual([id, at], [document.nonce, '1772442000'])
  assert.equal(signature, `v1,${createHmac('sha256', key).update(`${document.nonce}.1772442000.${body}`).digest('base64')}`)
  assert.equal(second!.headers['webhook-id'], id)
  assert.deepEqual([receipt['reply'], receipt['webhook_id']], ['200', document.nonce])
  assert(!JSON.stringify(receipt).includes('Eva'), 'a receipt holds no content')
})

test('whoever signs reads where it goes, the whole body, and what is added', async (t) => {
  const { server, wire } = await opened(t)
  assert.equal(wordsOfAct(readOutboundAct(wire)!), [
    `Notify localhost:${server.port}: POST ${server.url}/in?from=house`, 'content-type: application/json',
    'The releaser adds webhook-id (the nonce of this draft), webhook-timestamp, and webhook-signature by the secret hook.', 'Redirects are not followed.', '',
    '{\n  "data": {\n    "count": 2,\n    "name": "Eva Grün"\n  },\n  "type": "lead.new"\n}', '',
  ].join('\n'))
})

test('what is refused is not sent, what is busy can be tried again, what broke off is open', async (t) => {
  const { server, connector, wire } = await opened(t)
  const ways: [HttpMisbehaviour, string, RegExp][] = [
    [{ status: 400, body: 'no' }, 'connector.not_sent', /answered 400$/],
    [{ status: 410 }, 'connector.not_sent', /answered 410$/],
    [{ status: 308, headers: { location: 'https://elsewhere.example/x' } }, 'connector.not_sent', /leads elsewhere \(https:\/\/elsewhere\.example\); redirects are not followed/],
    // what a form answers that was taken
    [{ status: 302, headers: { location: '/thanks' } }, 'connector.unknown', /answered 302, a redirect.*does not say whether it was done/], [{ status: 303 }, 'connector.unknown', /answered 303/],
    [{ status: 429, headers: { 'retry-after': '30' } }, 'connector.try_again', /answered 429/],
    [{ status: 503 }, 'connector.try_again', /answered 503/],
    ['drop', 'connector.unknown', /may have taken it/], ['cut', 'connector.unknown', /may have taken it/],
    ['stall', 'connector.unknown', /no answer came in time/], ['babble', 'connector.unknown', /may have taken it/],
    [{ twice: [500, 200] }, 'connector.try_again', /answered 500/],
  ]
  for (const [how, code, message] of ways) {
    server.misbehave(how)
    const outcome = await failedDelivery(connector, wire)
    assert.deepEqual([outcome.code, outcome.spent], [code, 1], JSON.stringify(how))
    assert.match(outcome.message, message)
    if (typeof how === 'object' && 'status' in how && how.status === 429) assert.equal(outcome.retryAfterMs, 30_000)
  }
})

test('of two answers the first counts, and nothing is asked of where a redirect leads', async (t) => {
  const { server, connector, wire } = await opened(t)
  server.misbehave({ twice: [202, 500] })
  assert.equal((await connector.deliver(wire, documentFor(wire), signal, commit))['reply'], '202')
  const elsewhere = await startHttpReceiver(t)
  server.misbehave({ status: 307, headers: { location: elsewhere.url } })
  await failedDelivery(connector, wire)
  assert.equal(elsewhere.connections, 0)
})

test('a server that hangs up while the signature is spent was told nothing', async (t) => {
  const gone = Promise.withResolvers<void>()
  const said: Buffer[] = []
  const hasty = createServer((socket) => {
    socket.on('data', (bytes) => said.push(bytes))
    socket.once('close', () => gone.resolve())
    socket.end()
  })
  await new Promise<void>((resolve) => hasty.listen(0, '127.0.0.1', resolve))
  t.after(() => hasty.close())
  const connector = connectorTo({ url: `http://localhost:${(hasty.address() as AddressInfo).port}` })
  const outcome = await failedDelivery(connector, await composedBy(connector, 'webhook', notice), { commit: () => gone.promise })
  assert.deepEqual([outcome.code, outcome.spent, said], ['connector.try_again', 1, []])
})

test('what was given up while its name was looked up or its signature spent is not said any more', async (t) => {
  const { server, wire } = await opened(t)
  for (const at of ['lookup', 'commit'] as const) {
    const gone = new AbortController()
    const giveUp = (here: 'lookup' | 'commit') => { if (here === at) gone.abort() }
    const connector = connectorTo(server, { network: { isPrivate: true, lookup: async () => (giveUp('lookup'), ['127.0.0.1']) }, patience: { answer: 60_000 } })
    let spent = 0
    server.misbehave('stall')
    const delivered = connector.deliver(wire, documentFor(wire), gone.signal, async () => { spent += 1; giveUp('commit') })
    const late = AbortSignal.timeout(30_000)
    const failed = await Promise.race([delivered.then(() => 'delivered', (error: Fault) => error.code), new Promise((resolve) => late.addEventListener('abort', () => resolve('still waiting')))])
    assert.deepEqual([failed, spent, server.received.length], ['connector.try_again', at === 'commit' ? 1 : 0, 0], at)
  }
})

test('a name that leads to a private place is refused before anything is connected, and is resolved once', async (t) => {
  const { server } = await opened(t)
  const asked: string[] = []
  const named = (isPrivate: boolean, ...found: string[]) => connectorTo({ url: `http://hooks.example.org:${server.port}` }, {
    network: { isPrivate, lookup: async (host) => (asked.push(host), found) },
  })
  for (const found of [['127.0.0.1'], ['10.0.0.8'], ['93.184.216.34', '192.168.1.4'], ['::1'], ['::ffff:127.0.0.1'], ['64:ff9b::7f00:1'], ['fd12::1']]) {
    const connector = named(false, ...found)
    const outcome = await failedDelivery(connector, await composedBy(connector, 'webhook', notice))
    assert.deepEqual([outcome.code, outcome.spent], ['connector.not_sent', 0], String(found))
    assert.match(outcome.message, /not on the internet/)
  }
  const metadata = named(true, '169.254.169.254')
  assert.match((await failedDelivery(metadata, await composedBy(metadata, 'webhook', notice))).message, /where nothing is sent/)
  assert.equal(server.connections, 0)
  asked.length = 0
  const allowed = named(true, '127.0.0.1')
  const wire = await composedBy(allowed, 'webhook', notice)
  await allowed.deliver(wire, documentFor(wire), signal, commit)
  assert.deepEqual([asked, server.received[0]!.headers.host], [['hooks.example.org'], `hooks.example.org:${server.port}`])
})

test('without TLS that can be trusted, or without a secret, nothing is said', async (t) => {
  const { server, wire } = await opened(t, { secure: true })
  const untrusted = connectorTo({ url: server.url })
  assert.match((await failedDelivery(untrusted, wire)).message, /certificate .* is not to be trusted/)
  for (const value of [undefined, 'password', 'whsec_c2hvcnQ=']) {
    const outcome = await failedDelivery(connectorTo(server, { secret: { secret: 'hook', value } }), wire)
    assert.deepEqual([outcome.code, outcome.spent], ['connector.not_sent', 0])
    assert.match(outcome.message, /secrets\/hook/)
  }
  assert.equal(server.received.length, 0)
})

test('bytes that lead elsewhere, or that are not those of the document, are not sent', async (t) => {
  const { server, connector, wire } = await opened(t)
  const other = await composedBy(connectorTo({ url: 'http://other.example' }), 'webhook', notice)
  const cases: [Buffer, Parameters<typeof failedDelivery>[2]?][] = [
    [other], [Buffer.from(wire.toString().replace('"url":"http://localhost', '"url":"http://elsewhere'))], [Buffer.from(`${wire.toString()} `)], [Buffer.from('{}')],
    [wire, { document: documentFor(Buffer.from('other')) }],
  ]
  for (const [bytes, options] of cases) assert.deepEqual((({ code, spent }) => [code, spent])(await failedDelivery(connector, bytes, options)), ['connector.not_sent', 0])
  assert.equal(server.connections, 0)
})

test('a proposal that says more than a body, or hides something in it, is refused', async (t) => {
  const { connector } = await opened(t)
  for (const payload of [{ ...notice, url: 'http://elsewhere.example' }, { body: 'text' }, { body: { a: 'x\u202ey' } }, { body: { a: 'x'.repeat(600_000) } }, {}]) {
    await assert.rejects(composedBy(connector, 'webhook', payload), { kind: 'invalid' })
  }
})

test('a signed notice leaves once; when the connector was pointed elsewhere meanwhile it does not', async (t) => {
  const server = await startHttpReceiver(t)
  let connector = connectorTo(server)
  const outbox = await testOutbox(t, { connectors: () => [connector] })
  const options = { kind: 'webhook', connector: 'hook' }
  const draft = await outbox.readyToRelease(notice, options)
  assert.equal((await releaseDrafts(outbox.deps)).released, 1)
  assert.equal(server.received[0]!.headers['webhook-id'], draft.nonce)
  assert.equal(server.received[0]!.body.toString(), body)
  const second = await outbox.readyToRelease(notice, options)
  connector = connectorTo({ url: `${server.url}/other` })
  const deps = { ...outbox.deps, connectors: () => createConnectors([connector], { demonstration: false, accepted: false }) }
  assert.equal((await releaseDrafts(deps)).released, 0)
  assert.deepEqual([(await outbox.draft(second.id)).state, server.received.length], ['failed', 1])
  assert.match((await outbox.draft(second.id)).reason!, /leads elsewhere now/)
})
