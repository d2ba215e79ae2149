import assert from 'node:assert/strict'
import { createServer, type AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { makeCertificate } from '../../../test/support/certificate.ts'
import { startSmtpServer, type SmtpMisbehaviour, type SmtpServerOptions, type SmtpStep, type SmtpTestServer } from '../../../test/support/smtp-server.ts'
import type { Fault } from '../../kernel/fault.ts'
import { sha256 } from '../document.ts'
import type { Connector } from './connector.ts'
import { connectorContract, documentFor } from './connector.contract.ts'
import { createSmtpConnector, type SmtpConnectorOptions } from './smtp.ts'
import { stuffDots } from './smtp-envelope.ts'

const auth = { user: 'haus@example.org', password: 'pass word ü' }
const wire = Buffer.from('From: haus@example.org\r\nMessage-ID: <1@example.org>\r\nSubject: x\r\n\r\n.hidden\r\n')
const document = { ...documentFor(wire), from: 'Haus <haus@example.org>', recipients: { to: ['Eva <eva@example.org>'], cc: ['Max@example.org'], bcc: ['secret@example.org', 'eva@example.org'] } }
const envelope = { from: 'haus@example.org', to: ['eva@example.org', 'Max@example.org', 'secret@example.org'] }
const { signal } = new AbortController()
const commit = async () => {}

function connectorTo(server: Pick<SmtpTestServer, 'host' | 'port' | 'ca'>, options: Partial<SmtpConnectorOptions> = {}): Connector {
  return createSmtpConnector({ name: 'smtp', host: server.host, port: server.port, ca: server.ca, security: 'none', from: 'Haus <haus@example.org>', ...options })
}
const signedIn = { user: auth.user, password: { secret: 'smtp-password', value: auth.password } }

async function opened(t: TestContext, given: SmtpServerOptions = {}, options: Partial<SmtpConnectorOptions> = {}) {
  const server = await startSmtpServer(t, given)
  const connector = connectorTo(server, { security: given.security ?? 'none', ...(given.auth && signedIn), ...options })
  const failure = async (how: Partial<Parameters<typeof attempt>[0]> = {}) => attempt({ connector, ...how })
  return { server, connector, failure }
}

/** What a delivery fails with, and whether the signature was spent by then. */
async function attempt({ connector, bytes = wire, about = document }: { connector: Connector; bytes?: Buffer; about?: typeof document }) {
  let spent = 0
  const fault = await connector.deliver(bytes, about, signal, async () => void (spent += 1)).then(() => assert.fail('it was delivered'), (error: Fault) => error)
  return { code: fault.code, message: fault.message, brief: fault.details['brief'], spent }
}

for (const security of ['none', 'starttls', 'tls'] as const) {
  connectorContract(`smtp over ${security}`, async (t) => {
    const { server, connector } = await opened(t, { security, auth })
    return { connector, arrived: async () => server.received.map(({ raw }) => raw) }
  })
}

test('everybody whom the document names gets it, those in BCC too, and the receipt says what the server said', async (t) => {
  const { server, connector } = await opened(t, { security: 'tls', auth })
  assert.equal(connector.account, `haus@example.org via localhost:${server.port}`)
  assert.equal(connector.zone, 'internet')
  assert.deepEqual(await connector.deliver(wire, document, signal, commit), {
    server: `localhost:${server.port}`, reply: '250 queued as 1', message_id: '<1@example.org>', recipients: 3,
    envelope: sha256(JSON.stringify([envelope.from, ...envelope.to])), sha256: sha256(wire), length: wire.length,
  })
  assert.deepEqual(server.received, [{ envelope, raw: wire, user: auth.user }])
})

test('a mail of ten megabytes with dots in all places arrives as it was', async (t) => {
  const { server, connector } = await opened(t)
  const lines = ['.', '..', 'a.', '.a', '', 'x'.repeat(998)]
  const large = Buffer.from(Array.from({ length: 60_000 }, (_, index) => lines[index % lines.length]).join('\r\n') + '\r\n.\r\n')
  await connector.deliver(large, document, signal, commit)
  assert(server.received[0]!.raw.equals(large))
  assert.equal(stuffDots(Buffer.from('.\r\n.a\r\n')).toString(), '..\r\n..a\r\n')
})

/** At each step before the end of the message: nothing is spent, and a passing failure is told from a lasting one. */
const early: SmtpStep[] = ['connect', 'EHLO', 'STARTTLS', 'AUTH', 'MAIL', 'RCPT', 'DATA']
for (const step of early) {
  test(`at ${step} nothing has left: a drop, a stall and a 4xx can be tried again, a 5xx cannot`, async (t) => {
    const { server, connector, failure } = await opened(t, { security: 'starttls', auth }, { patience: { command: 1_000 } })
    const ways: [SmtpMisbehaviour, string, RegExp][] = [
      ['drop', 'connector.try_again', /failed at/], ['stall', 'connector.try_again', /did not answer in time/],
      [{ code: 451, text: 'come back later' }, 'connector.try_again', /451 .*come back later/], [{ code: 554, text: 'go away' }, 'connector.not_sent', /554 .*go away/],
    ]
    for (const [how, code, message] of ways) {
      server.misbehave(step, how)
      const outcome = await failure()
      assert.deepEqual([outcome.code, outcome.spent], [code, 0], JSON.stringify(how))
      assert.match(outcome.message, message)
      assert(!String(outcome.brief).includes('later') && !String(outcome.brief).includes('away'), 'the brief has no words of the server')
    }
    assert.deepEqual(server.received, [])
    await connector.deliver(wire, document, signal, commit)
    assert.equal(server.received.length, 1)
  })
}

test('in the middle of the message nothing has left either', async (t) => {
  const { server, failure } = await opened(t, {}, { patience: { piece: 300 } })
  const large = Buffer.from(`${'x'.repeat(900)}\r\n`.repeat(30_000))
  for (const how of ['drop', 'stall'] as const) {
    server.misbehave('body', how)
    const { code, spent } = await failure({ bytes: large })
    assert.deepEqual([code, spent], ['connector.try_again', 0], how)
  }
  assert.deepEqual(server.received, [])
})

test('after the end of the message a drop and a stall leave open whether it was taken; an answer does not', async (t) => {
  const { server, failure } = await opened(t, {}, { patience: { answer: 1_500 } })
  const ways: [SmtpStep, SmtpMisbehaviour, string, number][] = [
    ['dot', 'drop', 'connector.unknown', 1], ['dot', 'stall', 'connector.unknown', 2],
    ['dot', { code: 451 }, 'connector.try_again', 2], ['dot', { code: 554, text: 'spam' }, 'connector.not_sent', 2], ['dot', { code: 354 }, 'connector.unknown', 2],
  ]
  for (const [step, how, expected, taken] of ways) {
    server.misbehave(step, how)
    const { code, spent } = await failure()
    assert.deepEqual([code, spent, server.received.length], [expected, 1, taken], JSON.stringify(how))
  }
})

test('what happens after the answer changes nothing', async (t) => {
  const { server, connector } = await opened(t)
  for (const [step, how] of [['answered', 'drop'], ['QUIT', 'drop'], ['QUIT', 'stall'], ['QUIT', { code: 554 }]] as const) {
    server.misbehave(step, how)
    assert.match(String((await connector.deliver(wire, document, signal, commit))['reply']), /^250/)
  }
})

test('when one recipient is refused nobody gets it, and it is said who was refused', async (t) => {
  const { server, failure } = await opened(t)
  server.misbehave('RCPT', { code: 550, text: 'no such user', recipient: 'Max@example.org' })
  const outcome = await failure()
  assert.equal(outcome.code, 'connector.not_sent')
  assert.match(outcome.message, /refused Max@example\.org \(550 .*no such user\); nobody got it, the other 2 neither/)
  assert(!String(outcome.brief).includes('Max'))
  server.misbehave('RCPT', { code: 450, recipient: 'secret@example.org' })
  assert.equal((await failure()).code, 'connector.try_again')
  server.misbehave('RCPT', { code: 450, recipient: 'eva@example.org' })
  server.misbehave('RCPT', { code: 550, recipient: 'secret@example.org' })
  const both = await failure()
  assert.equal(both.code, 'connector.not_sent')
  assert.match(both.message, /eva@.*secret@/)
  assert.deepEqual(server.received, [])
  assert(!server.commands.some((line) => line.endsWith('DATA')))
})

test('a wrong password fails with what to do, and neither password nor its encoded form is repeated', async (t) => {
  const { server, connector, failure } = await opened(t, { security: 'tls', auth: { ...auth, password: 'another' } })
  const outcome = await failure()
  assert.equal(outcome.code, 'connector.not_sent')
  assert.match(outcome.message, /535.*secrets\/smtp-password.*one app/)
  const encoded = Buffer.from(`\0${auth.user}\0${auth.password}`).toString('base64')
  server.misbehave('AUTH', { code: 500, text: `unknown command AUTH PLAIN ${encoded}` })
  assert(!(await attempt({ connector })).message.includes(encoded))
  const without = connectorTo(server, { security: 'tls', user: auth.user, password: { secret: 'smtp-password', value: undefined } })
  assert.match((await attempt({ connector: without })).message, /no secret smtp-password/)
  await assert.rejects(without.reach!(signal), /no secret smtp-password/)
})

test('without TLS that can be trusted nothing is said, not even the password', async (t) => {
  const { server } = await opened(t, { security: 'tls', auth })
  const stranger = connectorTo({ ...server, port: server.port, ca: makeCertificate().certificate }, { security: 'tls', ...signedIn })
  const outcome = await attempt({ connector: stranger })
  assert.equal(outcome.code, 'connector.not_sent')
  assert.match(outcome.message, /certificate .* not to be trusted .*`ca`/)
  const elsewhere = await startSmtpServer(t, { security: 'none', auth })
  const downgraded = await attempt({ connector: connectorTo({ host: 'localhost', port: elsewhere.port, ca: undefined }, { security: 'starttls', ...signedIn }) })
  assert.match(downgraded.message, /offers no STARTTLS/)
  assert.match((await attempt({ connector: connectorTo({ host: 'localhost', port: elsewhere.port, ca: undefined }, { security: 'tls', ...signedIn }) })).message, /does not speak TLS from the start/)
  assert(![...server.commands, ...elsewhere.commands].some((line) => line.includes('AUTH')))
})

test('a server that is away, and one that speaks something else or too much, is no end of the world', async (t) => {
  const { server, connector, failure } = await opened(t)
  await server.down()
  const away = await failure()
  assert.deepEqual([away.code, away.spent], ['connector.try_again', 0])
  assert.match(away.message, /ECONNREFUSED/)
  await server.up()
  assert.match(await connector.reach!(signal), /^220/)
  assert(!server.commands.some((line) => line.includes('MAIL')))
  for (const [said, message] of [['HTTP/1.1 400 Bad Request\r\n', /does not speak SMTP/], [`220-${'x'.repeat(1000)}\r\n`.repeat(100), /does not end its answer/], ['220 hello\r\n'.repeat(50), /says more than it is asked/]] as const) {
    const odd = createServer((socket) => socket.on('error', () => {}).end(said)).listen(0, '127.0.0.1')
    t.after(() => odd.close())
    await new Promise((resolve) => odd.once('listening', resolve))
    const outcome = await attempt({ connector: connectorTo({ host: '127.0.0.1', port: (odd.address() as AddressInfo).port, ca: undefined }) })
    assert.match(outcome.message, message)
  }
})

test('bytes that SMTP would change on the way are refused before anything is said', async (t) => {
  const { server, connector } = await opened(t, { hide: ['8BITMIME'], size: 2_000_000 })
  for (const bytes of ['no end', 'bare\nfeed\r\n', 'bare\rreturn\r\n', 'nul\0\r\n', `${'x'.repeat(999)}\r\n`]) {
    assert.equal((await attempt({ connector, bytes: Buffer.from(bytes) })).code, 'connector.not_sent')
  }
  assert.deepEqual(server.commands, [])
  assert.match((await attempt({ connector, bytes: Buffer.from('ü\r\n') })).message, /takes only ASCII/)
  assert.match((await attempt({ connector, bytes: Buffer.from(`${'x'.repeat(900)}\r\n`.repeat(3_000)) })).message, /no message larger than 2000000 bytes/)
})

test('a word slipped in before the encryption begins is not believed', async (t) => {
  const liar = createServer((socket) => {
    socket.on('error', () => {})
    socket.write('220 hello\r\n')
    socket.on('data', (said) => socket.write(said.toString().startsWith('EHLO') ? '250-liar\r\n250 STARTTLS\r\n' : '220 go\r\n250 injected\r\n'))
  }).listen(0, '127.0.0.1')
  t.after(() => liar.close())
  await new Promise((resolve) => liar.once('listening', resolve))
  const outcome = await attempt({ connector: connectorTo({ host: 'localhost', port: (liar.address() as AddressInfo).port, ca: undefined }, { security: 'starttls' }) })
  assert.match(outcome.message, /before the encryption began/)
})
