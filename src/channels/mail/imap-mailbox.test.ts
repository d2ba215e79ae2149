import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { startDovecot, withoutDovecot, type TestDovecot, type TestMailUser } from '../../../test/support/dovecot.ts'
import { eventually, plainAccount, testMirror, type MirrorOptions } from '../../../test/support/mirror.ts'
import type { MirrorReport, MirrorTask } from '../../../test/support/mirror-child.ts'
import type { ImapAccount } from '../../house/index.ts'

const skip = withoutDovecot

function accountOf({ port }: TestDovecot, { user }: TestMailUser, changes: Partial<ImapAccount> = {}): ImapAccount {
  return { ...plainAccount, port, user, ...changes }
}

const server = skip === false ? startDovecot() : undefined
let users = 0

/** A user of their own for each test, on the Dovecot of this file; what is not said of a user is of that one. */
async function mirrored(t: TestContext, { account, ...options }: Partial<Omit<MirrorOptions, 'account'>> & { account?: Partial<ImapAccount> } = {}) {
  const shared = (await server)!
  const me = shared.addUser(`user${++users}`)
  const dovecot: TestDovecot = {
    ...shared, ...me,
    append: (folder, raw, flags, as = me) => shared.append(folder, raw, flags, as),
    list: (folder, as = me) => shared.list(folder, as),
    expunge: (folder, uids, as = me) => shared.expunge(folder, uids, as),
    recreate: (folder, as = me) => shared.recreate(folder, as),
  }
  return { dovecot, mirror: await testMirror(t, { account: accountOf(dovecot, dovecot, account), password: dovecot.password, ...options }) }
}

const mail = (subject: string, text = 'text') => `From: eva@example.org\r\nSubject: ${subject}\r\nMessage-ID: <${subject}@example.org>\r\n\r\n${text}\r\n`

test('what is in the mailbox is stored once as it is, under the label of its account, and goes on where it was', { skip }, async (t) => {
  const { dovecot, mirror } = await mirrored(t)
  const raw = Buffer.from('Subject: gr\xfc\xdfe\r\n\r\nnot even a mail \xff\r\n', 'latin1')
  const first = await dovecot.append('INBOX', raw)
  await dovecot.append('INBOX', mail('second'), ['\\Seen'])
  assert.equal(await mirror.mailbox.scan(), 2)
  assert.equal(await mirror.mailbox.scan(), 0)
  const [one, two] = await mirror.stored()
  const { uidvalidity, uid, messages, state } = await mirror.position()
  assert.deepEqual({ ...one, id: '' }, { id: '', account: 'sample', folder: 'INBOX', uid: `${uidvalidity}/${first}`, body: raw, label_level: 2, label_lanes: ['private'] })
  assert.equal(two!.body.toString(), mail('second'))
  assert.deepEqual([uid, messages, state], [first + 1, 2, 'watching'])
  assert.deepEqual((await dovecot.list('INBOX')).map(({ flags }) => flags.includes('\\Seen')), [false, true], 'nothing was marked as read')

  await dovecot.append('INBOX', mail('third'))
  assert.equal(await mirror.reopen().scan(), 1)
  assert.deepEqual(mirror.mailbox.problems(), [])
})

test('a new message arrives within a moment, without being asked for', { skip }, async (t) => {
  const { dovecot, mirror } = await mirrored(t)
  await mirror.mailbox.scan()
  for (const subject of ['a', 'b']) {
    await dovecot.append('INBOX', mail(subject))
    const begun = performance.now()
    await eventually(async () => (await mirror.stored()).some(({ body }) => body.toString() === mail(subject)), `${subject} is stored`)
    assert(performance.now() - begun < 10_000, `${performance.now() - begun} ms`)
  }
})

test('killed anywhere, again and again, the mirror goes on where it was: every message is there once', { skip }, async (t) => {
  const { dovecot, mirror } = await mirrored(t)
  dovecot.deliverMany(Array.from({ length: 300 }, (_, index) => (index % 50 === 7 ? mail(String(index), 'x'.repeat(5_000)) : mail(String(index)))), dovecot)
  const task: MirrorTask = {
    connection: mirror.database.connection('castellan_releaser'), account: accountOf(dovecot, dovecot), password: dovecot.password,
    limits: { batch: 20, window: 70, piece: 2_000 }, faultPoints: 'mail.store:before=0.12,mail.store:stored=0.12,mail.store:after=0.12',
  }
  let kills = 0
  for (let lives = 0; lives < 60; lives += 1) {
    const child = spawnSync(process.execPath, [join(import.meta.dirname, '../../../test/support/mirror-child.ts'), JSON.stringify(task)], { encoding: 'utf8' })
    if (child.signal === 'SIGKILL') {
      kills += 1
      continue
    }
    assert.equal(child.status, 0, child.stderr)
    const { problems } = JSON.parse(child.stdout) as MirrorReport
    assert.deepEqual(problems, [])
    break
  }
  const subjects = (await mirror.stored()).map(({ body }) => Number(/Subject: (\d+)/.exec(body.toString())![1]))
  assert.deepEqual(subjects, Array.from({ length: 300 }, (_, index) => index))
  assert(kills > 0, 'it was killed at least once')
  assert.equal((await mirror.position()).messages, 300)
})

test('a message that is deleted, or deleted while others are fetched, is no loss and no problem', { skip }, async (t) => {
  const { dovecot, mirror } = await mirrored(t, { limits: { window: 3 } })
  const uids = []
  for (const subject of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) uids.push(await dovecot.append('INBOX', mail(subject)))
  await dovecot.expunge('INBOX', uids.slice(0, 4))
  assert.equal(await mirror.mailbox.scan(), 4)
  await dovecot.expunge('INBOX', [uids.at(-1)!])
  await dovecot.append('INBOX', mail('i'))
  await mirror.mailbox.scan()
  assert.deepEqual((await mirror.stored()).length, 5)
  assert.deepEqual(mirror.mailbox.problems(), [])
})

test('numbers far apart are crossed in few steps', { skip }, async (t) => {
  const { dovecot, mirror } = await mirrored(t, { limits: { window: 2 } })
  const uids = []
  for (let index = 0; index < 40; index += 1) uids.push(await dovecot.append('INBOX', mail(String(index))))
  await dovecot.expunge('INBOX', uids.slice(1, -1))
  assert.equal(await mirror.mailbox.scan(), 2)
})

test('a folder whose messages are named anew is looked at again, and nothing is stored twice or left out', { skip }, async (t) => {
  const { dovecot, mirror } = await mirrored(t, { folder: 'Work', account: { folders: ['Work'] } })
  for (const subject of ['a', 'b', 'b', 'c']) await dovecot.append('Work', mail(subject))
  assert.equal(await mirror.mailbox.scan(), 4)
  const before = await mirror.stored()
  await dovecot.recreate('Work')
  for (const subject of ['new', 'c', 'b', 'b', 'b', 'a']) await dovecot.append('Work', mail(subject))
  await eventually(async () => (await mirror.mailbox.scan(), (await mirror.stored()).length === 6), 'all of them are there')
  const after = await mirror.stored()
  const { uidvalidity, uid } = await mirror.position('Work')
  assert.deepEqual(after.map((one) => one.uid), [1, 2, 3, 4, 5, 6].map((number) => `${uidvalidity}/${number}`))
  assert.equal(uid, 6)
  assert.deepEqual(after.map(({ body }) => body.toString()), ['new', 'c', 'b', 'b', 'b', 'a'].map((subject) => mail(subject)))
  for (const { id } of before) assert(after.some((one) => one.id === id), 'a message that was there is the same message')
  assert.deepEqual(mirror.mailbox.problems(), [])
})

test('two messages with one Message-ID, or with the same bytes, are two messages', { skip }, async (t) => {
  const { dovecot, mirror } = await mirrored(t)
  for (const text of ['one', 'two', 'two']) await dovecot.append('INBOX', mail('same', text))
  assert.equal(await mirror.mailbox.scan(), 3)
  assert.equal((await mirror.stored()).length, 3)
})

test('a message larger than what is held comes in pieces and whole; one that is too large is refused, remembered and audited once', { skip }, async (t) => {
  const { dovecot, mirror } = await mirrored(t, { limits: { piece: 10_000, literal: 12_000, held: 20_000, message: 100_000 } })
  const large = Buffer.concat([Buffer.from('Subject: large\r\n\r\n'), Buffer.from(randomBytes(60_000).toString('base64').replaceAll(/.{76}/g, '$&\r\n'))])
  const exact = Buffer.from(`Subject: exact\r\n\r\n${'x'.repeat(20_000 - 20)}\r\n`)
  const tooLarge = Buffer.from(`Subject: no\r\n\r\n${'y\r\n'.repeat(40_000)}`)
  for (const raw of [mail('a'), large, exact, tooLarge, mail('b')]) await dovecot.append('INBOX', raw)
  assert.equal(await mirror.mailbox.scan(), 4)
  assert.deepEqual((await mirror.stored()).map(({ body }) => body.length), [mail('a').length, large.length, exact.length, mail('b').length])
  assert(Buffer.compare((await mirror.stored())[1]!.body, large) === 0)
  const again = mirror.reopen()
  await again.scan()
  for (const { uid, reason } of [...mirror.mailbox.problems(), ...again.problems()]) {
    assert.equal(uid, 'INBOX/4')
    assert.match(reason, /120015 bytes or more/)
  }
  assert.equal(again.problems().length, 1)
  const { rows } = await mirror.database.owner.pool.query(`select kind, count(*) from audit_event where kind like 'mail.%' group by kind order by kind`)
  assert.deepEqual(rows, [{ kind: 'mail.refused', count: 1 }, { kind: 'mail.stored', count: 4 }])
  assert.deepEqual((await mirror.database.owner.pool.query('select count(*) from mail_piece')).rows, [{ count: 0 }])
})

test('two accounts keep their mail apart, each under its lanes and label; their folders have mirrors of their own', { skip }, async (t) => {
  const { dovecot, mirror } = await mirrored(t)
  const eva = dovecot.addUser('eva')
  const work = accountOf(dovecot, eva, { name: 'work', label: { level: 1, integrity: 'untrusted', lanes: ['work'] }, folders: ['INBOX', 'Bills'] })
  await dovecot.append('INBOX', mail('mine'))
  await dovecot.append('INBOX', mail('mine'), [], eva)
  await dovecot.append('Bills', mail('bill'), [], eva)
  await mirror.mailbox.scan()
  for (const folder of work.folders) await mirror.reopen({ account: work, password: eva.password, folder }).scan()
  assert.deepEqual((await mirror.stored()).map(({ account, folder, label_level, label_lanes }) => [account, folder, label_level, label_lanes]), [
    ['sample', 'INBOX', 2, ['private']], ['work', 'Bills', 1, ['work']], ['work', 'INBOX', 1, ['work']],
  ])
})

test('a wrong password is said once, with what to do, and the server is left alone', { skip }, async (t) => {
  const { dovecot, mirror } = await mirrored(t, { password: 'wrong' })
  await mirror.mailbox.scan()
  const [problem] = mirror.mailbox.problems()
  assert.match(problem!.reason, /refused the user \w+ or the password of the mail account sample .* \$CASTELLAN_HOME\/secrets\/mail/)
  assert.equal(mirror.mailbox.status().state, 'refused')
  assert(mirror.mailbox.pauseMs() > 20 * 60_000)
  const refusals = () => dovecot.logged().split('\n').filter((line) => /auth failed/.test(line) && line.includes(`user=<${dovecot.user}>`)).length
  const before = await eventually(async () => refusals(), 'Dovecot tells of the refusal')
  for (let tries = 0; tries < 5; tries += 1) await mirror.mailbox.scan()
  mirror.clock.advance(29 * 60_000)
  await mirror.mailbox.scan()
  assert.equal(refusals(), before)
  assert.equal((await mirror.position()).state, 'refused')
})

test('a folder that does not exist is a problem that names it, and a secret that is missing one that names the file', { skip }, async (t) => {
  const { mirror } = await mirrored(t, { folder: 'Nowhere' })
  await mirror.mailbox.scan()
  assert.match(mirror.mailbox.problems()[0]!.reason, /sample has no folder Nowhere: correct mail\.accounts\.sample\.folders/)
  const without = mirror.reopen({ password: '' })
  await without.scan()
  assert.match(without.problems()[0]!.reason, /put it into \$CASTELLAN_HOME\/secrets\/mail/)
})

test('by TLS and STARTTLS only a certificate that was declared is trusted, and encryption is never given up', { skip }, async (t) => {
  const { dovecot, mirror } = await mirrored(t)
  await dovecot.append('INBOX', mail('a'))
  const open = async (changes: Partial<ImapAccount>) => {
    const mailbox = mirror.reopen({ account: accountOf(dovecot, dovecot, changes) })
    const stored = await mailbox.scan()
    await mailbox.close()
    return [stored, mailbox.status().state, mailbox.problems()[0]?.reason]
  }
  assert.match(String(await open({ security: 'tls', port: dovecot.tlsPort })), /^0,refused,the certificate of 127.0.0.1:\d+ is not one to trust .*mail.accounts.sample.ca/)
  assert.match(String(await open({ security: 'starttls' })), /the certificate of/)
  assert.deepEqual(await open({ security: 'tls', port: dovecot.tlsPort, ca: dovecot.ca }), [1, 'watching', undefined])
  assert.deepEqual(await open({ security: 'starttls', ca: dovecot.ca }), [0, 'watching', undefined])
  const { ca: other } = await startDovecot(t)
  assert.match(String(await open({ security: 'starttls', ca: other })), /the certificate of/)
})

test('a server that ends every session is found again', { skip }, async (t) => {
  const { dovecot, mirror } = await mirrored(t)
  await dovecot.append('INBOX', mail('a'))
  await mirror.mailbox.scan()
  dovecot.kick()
  await dovecot.append('INBOX', mail('b'))
  await eventually(async () => {
    mirror.clock.advance(1_000)
    await mirror.mailbox.scan()
    return (await mirror.stored()).length === 2
  }, 'the second message is there')
  assert.equal(mirror.mailbox.status().state, 'watching')
})
