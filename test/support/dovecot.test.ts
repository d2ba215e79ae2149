import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ImapFlow } from 'imapflow'
import { startDovecot, withoutDovecot, type TestDovecot } from './dovecot.ts'

async function greeted({ user, password, ca }: TestDovecot, port: number, secure: boolean): Promise<boolean> {
  const client = new ImapFlow({ host: '127.0.0.1', port, secure, ...(!secure && { doSTARTTLS: true }), tls: { ca }, auth: { user, pass: password }, logger: false })
  client.on('error', () => {})
  await client.connect()
  await client.logout()
  return client.secureConnection
}

test('a Dovecot of its own keeps what it is given, for each user apart, by TLS and by STARTTLS', { skip: withoutDovecot }, async (t) => {
  const dovecot = await startDovecot(t)
  const other = dovecot.addUser('eva')
  const raw = Buffer.from('Subject: x\r\n\r\ngr\xfc\xdfe\r\n', 'latin1')
  const uid = await dovecot.append('INBOX', raw, ['\\Seen'])
  await dovecot.append('Archive/2026', 'Subject: y\r\n\r\ny\r\n', [], other)
  assert.deepEqual(await dovecot.list('INBOX'), [{ uid, flags: ['\\Recent', '\\Seen'], raw }])
  assert.deepEqual(await dovecot.list('INBOX', other), [])
  await dovecot.expunge('INBOX', [uid])
  assert.deepEqual(await dovecot.list('INBOX'), [])
  dovecot.deliverMany(['Subject: 1\r\n\r\n', 'Subject: 2\r\n\r\n'], other)
  assert.equal((await dovecot.list('INBOX', other)).length, 2)
  assert.equal(await greeted(dovecot, dovecot.tlsPort, true), true)
  assert.equal(await greeted(dovecot, dovecot.port, false), true)
})
