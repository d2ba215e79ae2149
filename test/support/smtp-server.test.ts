import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTransport } from 'nodemailer'
import { startSmtpServer, type SmtpTestServer } from './smtp-server.ts'

const raw = 'Subject: Dots\r\n\r\n.\r\n..two\r\nend\r\n'
const envelope = { from: 'a@example.org', to: ['b@example.org', 'hidden@example.org'] }

/** With a client that is not ours. */
async function send(server: SmtpTestServer, more: object = {}): Promise<string> {
  const transport = createTransport({ host: server.host, port: server.port, tls: { ca: server.ca }, ...more } as Parameters<typeof createTransport>[0])
  try {
    return ((await transport.sendMail({ envelope, raw })) as { response: string }).response
  } finally {
    transport.close()
  }
}

for (const security of ['none', 'starttls', 'tls'] as const) {
  test(`over ${security} it records envelope and bytes as they were before the dots, and asks who it is`, async (t) => {
    const server = await startSmtpServer(t, { security, auth: { user: 'mira', password: 'right' } })
    const more = { secure: security === 'tls', requireTLS: security === 'starttls' }
    assert.match(await send(server, { ...more, auth: { user: 'mira', pass: 'right' } }), /^250 .*queued as 1/)
    assert.deepEqual(server.received, [{ envelope, raw: Buffer.from(raw), user: 'mira' }])
    await assert.rejects(send(server, { ...more, auth: { user: 'mira', pass: 'wrong' } }), /535/)
    assert.equal(server.received.length, 1)
    assert(!server.commands.join().includes(Buffer.from('right').toString('base64')))
  })
}

test('it misbehaves where it is told to, as often as it is told to', async (t) => {
  const server = await startSmtpServer(t)
  server.misbehave('connect', { code: 554 })
  await assert.rejects(send(server), /554/)
  for (const step of ['EHLO', 'MAIL', 'DATA', 'body', 'dot'] as const) {
    server.misbehave(step, 'drop')
    await assert.rejects(send(server), step)
  }
  assert.equal(server.received.length, 1) // the one of which it did not say so
  server.misbehave('RCPT', { code: 550, text: 'no such user', recipient: 'hidden@example.org' })
  assert.match(await send(server), /^250/)
  assert.deepEqual(server.received.at(-1)!.envelope.to, ['b@example.org'])
  server.misbehave('dot', { code: 451 })
  await assert.rejects(send(server), /451/)
  assert.match(await send(server), /^250/)
  await server.down()
  await assert.rejects(send(server), { code: 'ESOCKET' })
  await server.up()
  assert.match(await send(server), /^250/)
})
