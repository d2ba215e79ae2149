import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { startImapServer, type ImapScript } from '../../../test/support/imap-server.ts'
import { eventually, plainAccount, testMirror } from '../../../test/support/mirror.ts'
import type { MirrorLimits } from './imap-limits.ts'

const message = (uid: number, text = `number ${uid}`) => ({ uid, raw: Buffer.from(`Subject: ${text}\r\n\r\n${text}\r\n`) })

async function mirrored(t: TestContext, script: ImapScript, limits: Partial<MirrorLimits> = {}) {
  const server = await startImapServer(t, script)
  const mirror = await testMirror(t, { account: { ...plainAccount, port: server.port }, password: 'any', limits })
  return {
    server, mirror,
    /** Scans until the mailbox is watched, over as many sessions as that takes. */
    async settle(most = 30) {
      for (let tries = 0; tries < most; tries += 1) {
        await mirror.mailbox.scan()
        if (mirror.mailbox.status().state === 'watching') return
        mirror.clock.advance(60_000)
      }
      assert.fail(`it did not settle: ${JSON.stringify(mirror.mailbox.problems())}`)
    },
    async bodies() {
      return (await mirror.stored()).map(({ uid, body }) => `${uid} ${body.toString().split('\r\n')[2]}`)
    },
  }
}

test('a server that drops in the middle of a literal is asked again from there, and nothing is lost or stored twice', async (t) => {
  let drops = 1
  const { server, settle, bodies, mirror } = await mirrored(t, {
    uidvalidity: 7, messages: [1, 2, 3, 4].map((uid) => message(uid)),
    body({ uid }, _asked, socket) {
      if (uid !== 3 || drops-- <= 0) return undefined
      socket.end(`* 3 FETCH (UID 3 BODY[]<0> {1000}\r\nSubject: half`)
      return 'silence'
    },
  })
  await settle()
  assert.deepEqual(await bodies(), ['7/1 number 1', '7/2 number 2', '7/3 number 3', '7/4 number 4'])
  assert.equal(server.sessions.count, 2)
  assert.deepEqual(mirror.mailbox.problems(), [])
})

test('one message that always breaks the connection is found out and left out, visibly; the others come', async (t) => {
  const { settle, bodies, mirror } = await mirrored(t, { uidvalidity: 7, messages: [1, 2, 3].map((uid) => message(uid)), body: ({ uid }) => (uid === 2 ? 'drop' : undefined) })
  await settle()
  assert.deepEqual(await bodies(), ['7/1 number 1', '7/3 number 3'])
  assert.deepEqual(mirror.mailbox.problems(), [{ account: 'sample', uid: 'INBOX/2', reason: 'the connection broke 6 times while it was fetched' }])
})

test('a database that does not take a message is no reason to leave it out', async (t) => {
  const { settle, bodies, mirror } = await mirrored(t, { uidvalidity: 7, messages: [message(1)] })
  const owner = mirror.database.owner.pool
  await owner.query('alter table mail_message add constraint full_disk check (false) not valid')
  for (let tries = 0; tries < 10; tries += 1) {
    await mirror.mailbox.scan()
    mirror.clock.advance(60_000)
  }
  assert.match(mirror.mailbox.problems()[0]!.reason, /messages of the mail account sample could not be stored: .*full_disk/)
  assert.equal(mirror.mailbox.status().state, 'failing')
  await owner.query('alter table mail_message drop constraint full_disk')
  await settle()
  assert.deepEqual(await bodies(), ['7/1 number 1'])
  assert.deepEqual(mirror.mailbox.problems(), [])
})

test('a literal of 60 MB in the place of a small message is cut off while it streams, and the message is refused', async (t) => {
  const taken: number[] = []
  const { settle, bodies, mirror } = await mirrored(t, {
    uidvalidity: 7, messages: [1, 2, 3].map((uid) => message(uid)),
    body({ uid }, _asked, socket) {
      if (uid !== 2) return undefined
      const before = socket.bytesWritten
      socket.once('close', () => taken.push(socket.bytesWritten - before))
      socket.write(`* 2 FETCH (UID 2 BODY[]<0> {${60 * 1024 * 1024}}\r\n`)
      const block = Buffer.alloc(64 * 1024, 'x')
      let left = 960
      const more = () => {
        while (left-- > 0 && !socket.destroyed) if (!socket.write(block)) return void socket.once('drain', more)
      }
      more()
      return 'silence'
    },
  })
  await settle()
  assert.deepEqual(await bodies(), ['7/1 number 1', '7/3 number 3'])
  assert.match(mirror.mailbox.problems()[0]!.reason, /more bytes for it than were asked for/)
  await eventually(async () => taken.length > 0, 'the server notices')
  assert(Math.max(...taken) < 16 * 1024 * 1024, `${taken} bytes were taken`)
})

test('a message without an end is refused when it is larger than a message may be, whatever it says about its size', async (t) => {
  const limits = { piece: 1_000, literal: 4_000, held: 4_000, message: 10_000 }
  const { settle, bodies, mirror } = await mirrored(t, {
    uidvalidity: 7, messages: [message(1), { ...message(2), size: 10 }, { ...message(3), size: 5_000 }, { ...message(4), size: 900_000_000 }, message(5)],
    body: ({ uid }, { start, length }) => (uid === 2 || uid === 3 ? `* ${uid} FETCH (UID ${uid} BODY[]<${start}> {${length}}\r\n${'x'.repeat(length)})\r\n` : undefined),
  }, limits)
  await settle()
  assert.deepEqual(await bodies(), ['7/1 number 1', '7/5 number 5'])
  assert.deepEqual(mirror.mailbox.problems().map(({ uid, reason }) => `${uid} ${/\d+/.exec(reason)}`), ['INBOX/2 11000', 'INBOX/3 11000', 'INBOX/4 900000000'])
})

test('numbers that nobody asked for do not count, and one number for two messages keeps both', async (t) => {
  const other = message(2, 'the other 2')
  const { settle, bodies, mirror } = await mirrored(t, {
    uidvalidity: 7, messages: [message(1), message(2), message(3)],
    body({ uid, raw }) {
      const one = (number: number, body: Buffer) => `* ${uid} FETCH (UID ${number} BODY[]<0> {${body.length}}\r\n${body.toString()})\r\n`
      return uid === 2 ? one(2, raw) + one(2, other.raw) + one(99, message(99).raw) + one(0, message(0).raw) : undefined
    },
  })
  await settle()
  const found = (await bodies()).map((line) => /^(\S+) (.*)$/.exec(line)!)
  assert.deepEqual(found.map(([, uid]) => uid!.replace(/[0-9a-f]{64}/, 'HASH')), ['7/1', '7/2', '7/3', '7/2/HASH'])
  assert.deepEqual(found.map(([, , text]) => text).sort(), ['number 1', 'number 2', 'number 3', 'the other 2'])
  await mirror.reopen().scan()
  assert.equal((await bodies()).length, 4)
  assert.deepEqual(mirror.mailbox.problems(), [])
})

test('numbers that go backwards under the same UIDVALIDITY: all is looked at again, other messages are kept, the same are not doubled', async (t) => {
  const { server, settle, bodies } = await mirrored(t, { uidvalidity: 7, messages: [1, 2, 3, 4, 5].map((uid) => message(uid)) })
  await settle()
  server.script.messages = [message(1), message(2, 'something else'), message(3)]
  await settle()
  assert.deepEqual((await bodies()).map((line) => line.replace(/[0-9a-f]{64}/, 'HASH')), [
    '7/1 number 1', '7/2 number 2', '7/3 number 3', '7/4 number 4', '7/5 number 5', '7/2/HASH something else',
  ])
  const before = server.commands.length
  await settle()
  assert(!server.commands.slice(before).some((command) => command.includes('BODY')), 'it is not looked at a third time')
})

test('a server that says a far too high next number hides no message, and none that says no number at all', async (t) => {
  const { server, settle, bodies } = await mirrored(t, { uidvalidity: 7, uidnext: 4_294_967_295, messages: [message(1), message(2)] })
  await settle()
  server.script.messages.push(message(3))
  await settle()
  server.script.uidnext = undefined
  server.script.messages.push(message(4))
  await settle()
  assert.equal((await bodies()).length, 4)
  assert(server.commands.length < 80, `${server.commands.length} commands`)
})

test('a message that is listed and not handed out is a problem; without UIDVALIDITY nothing is mirrored', async (t) => {
  const { server, settle, bodies, mirror } = await mirrored(t, {
    uidvalidity: 7, messages: [1, 2, 3].map((uid) => message(uid)), body: ({ uid }) => (uid === 2 ? '* 2 FETCH (UID 2 BODY[]<0> NIL)\r\n' : undefined),
  })
  await settle()
  assert.deepEqual(await bodies(), ['7/1 number 1', '7/3 number 3'])
  assert.match(mirror.mailbox.problems()[0]!.reason, /lists it and does not hand it out/)
  server.script.uidvalidity = undefined
  await mirror.mailbox.scan()
  assert.equal(mirror.mailbox.status().state, 'refused')
  assert.match(mirror.mailbox.problems()[0]!.reason, /no UIDVALIDITY/)
})

test('a message that is handed out late is not passed over for one behind it that is larger than it was said to be', async (t) => {
  let asked = 0
  const { settle, bodies, mirror } = await mirrored(t, {
    uidvalidity: 7, messages: [message(1), message(2), { uid: 3, raw: Buffer.from(`Subject: 3\r\n\r\nlarge\r\n${'x'.repeat(1_500)}`), size: 10 }],
    body({ uid }) {
      if (uid !== 1) return undefined
      asked += 1
      return asked === 1 ? '' : asked === 2 ? 'drop' : undefined
    },
  }, { piece: 1_000, literal: 4_000 })
  await settle()
  assert.deepEqual(await bodies(), ['7/1 number 1', '7/2 number 2', '7/3 large'])
  assert.deepEqual(mirror.mailbox.problems(), [])
})

test('a server that lets one in and shows one out at once is not run against', async (t) => {
  const { server, mirror } = await mirrored(t, { uidvalidity: 7, messages: [message(1)] })
  await mirror.mailbox.scan()
  for (const sessions of [1, 2, 3]) {
    server.kick()
    await eventually(async () => mirror.mailbox.status().state === 'failing', 'the mailbox says so')
    for (let tries = 0; tries < 10; tries += 1) await mirror.mailbox.scan()
    assert.equal(server.sessions.count, sessions)
    mirror.clock.advance(sessions * 1_000 - 1)
    await mirror.mailbox.scan()
    assert.equal(server.sessions.count, sessions)
    mirror.clock.advance(1)
    await mirror.mailbox.scan()
    assert.equal(mirror.mailbox.status().state, 'watching')
  }
})

test('after a gap, more messages than are looked through at once are all found', async (t) => {
  const uids = [1, ...Array.from({ length: 30 }, (_, index) => 5_000 + index)]
  const { settle, bodies } = await mirrored(t, { uidvalidity: 7, messages: uids.map((uid) => message(uid)) }, { window: 4 })
  await settle()
  assert.deepEqual(await bodies(), uids.map((uid) => `7/${uid} number ${uid}`))
})

test('a mailbox that is closed while it waits for the greeting is closed at once', async (t) => {
  const { server, mirror } = await mirrored(t, { uidvalidity: 7, messages: [], greeting: false })
  const scan = mirror.mailbox.scan()
  await eventually(async () => server.sessions.count === 1, 'it is connected')
  const begun = performance.now()
  await mirror.mailbox.close()
  assert.equal(await scan, 0)
  assert(performance.now() - begun < 5_000)
})

test('a server that falls silent is left, and asked again', async (t) => {
  let silent = true
  const { server, settle, bodies, mirror } = await mirrored(t, { uidvalidity: 7, messages: [message(1)], body: () => (silent ? 'silence' : undefined) }, { silenceMs: 150 })
  await mirror.mailbox.scan()
  assert.equal(mirror.mailbox.status().state, 'failing')
  assert.match(mirror.mailbox.problems()[0]!.reason, /does not answer as it should: Socket timeout/)
  silent = false
  await settle()
  assert.deepEqual(await bodies(), ['7/1 number 1'])
  assert(server.sessions.count >= 2)
})

test('while it waits for mail, a quiet server is asked whether it is there, and one that does not answer is left', async (t) => {
  const { server, settle, mirror } = await mirrored(t, { uidvalidity: 7, messages: [message(1)] }, { silenceMs: 600 })
  await settle()
  await eventually(async () => server.commands.includes('IDLE'), 'it waits for news')
  await eventually(async () => server.commands.includes('NOOP'), 'it asks whether the server is there')
  assert.equal(server.sessions.count, 1)
  assert.equal(mirror.mailbox.status().state, 'watching')
  server.script.deaf = true
  await eventually(async () => mirror.mailbox.status().state === 'failing', 'the mailbox says so')
  assert.match(mirror.mailbox.problems()[0]!.reason, /ended the session/)
  server.script.deaf = false
  await settle()
  assert(server.sessions.count > 1)
})
