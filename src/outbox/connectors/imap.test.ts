import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withoutDovecot } from '../../../test/support/dovecot.ts'
import { mailboxOutbox, mailFrom } from '../../../test/support/mailbox-outbox.ts'
import { plainAccount } from '../../../test/support/mirror.ts'
import type { ImapAccount } from '../../house/index.ts'
import { createEntrance } from '../../imap/index.ts'
import { systemClock } from '../../kernel/clock.ts'
import { textOfWire } from '../compose/read-wire.ts'
import { releaseDraft } from '../release-drafts.ts'
import { takeBack } from '../take-back.ts'
import { alone } from './connector.contract.ts'
import { createImapConnector } from './imap.ts'

const skip = withoutDovecot
const mail = (subject: string) => mailFrom('eva@example.org', subject)

test('a message is moved once it was signed for, with a receipt, and the draft says what undoes it', { skip }, async (t) => {
  const box = await mailboxOutbox(t)
  await box.append('Archive', mail('old'))
  await box.append('INBOX', mail('first'))
  await box.append('INBOX', mail('newsletter'))
  const [, id] = await box.mirrored()
  const draft = await box.move(id!, 'Archive')
  const document = JSON.parse(draft.document)
  assert.equal(document.title, 'Move to Archive: newsletter')
  assert.match(document.rollback, /move it back from Archive to INBOX/)
  assert.deepEqual([document.risk < 7, document.account, document.label.level], [true, `sample (${box.account.user}@127.0.0.1)`, 2])
  assert.match(textOfWire(draft.wire), /Move this message from INBOX to Archive[^]*From: eva@example.org\nSubject: newsletter\nMessage-ID: <newsletter@example.org>/)
  assert.equal(await releaseDraft(box.outbox.deps, draft.id), 'released')
  assert.deepEqual((await box.list('INBOX')).map(({ raw }) => raw.toString()), [mail('first')])
  const archive = await box.list('Archive')
  assert.deepEqual(archive.map(({ raw }) => raw.toString()), [mail('old'), mail('newsletter')])
  const { state, receipt } = await box.receipt(draft.id)
  assert.equal(state, 'delivered')
  assert.deepEqual({ ...receipt, uidvalidity: 0 }, { account: 'sample', from: 'INBOX', to: 'Archive', uid: archive[1]!.uid, uidvalidity: 0 })
})

test('flags are set and taken away, and the receipt says what was there before', { skip }, async (t) => {
  const box = await mailboxOutbox(t)
  await box.append('INBOX', mail('a'))
  const [id] = await box.mirrored()
  const draft = await box.outbox.readyToRelease({ message: id, add: ['flagged', 'Later'] }, { kind: 'mail.flag', connector: 'mailbox' })
  assert.match(JSON.parse(draft.document).rollback, /take away Later, \\Flagged again/)
  assert.equal(await releaseDraft(box.outbox.deps, draft.id), 'released')
  const flags = async () => (await box.list('INBOX'))[0]!.flags.filter((flag) => flag !== '\\Recent')
  assert.deepEqual(await flags(), ['Later', '\\Flagged'])
  const back = await box.outbox.readyToRelease({ message: id, add: ['seen'], remove: ['flagged'] }, { kind: 'mail.flag', connector: 'mailbox' })
  assert.equal(await releaseDraft(box.outbox.deps, back.id), 'released')
  assert.deepEqual(await flags(), ['Later', '\\Seen'])
  assert.match((await box.receipt(back.id)).receipt.before, /Later \\Flagged/)
})

test('what was moved or flagged is put back by undo, once, and what was so before stays', { skip }, async (t) => {
  const box = await mailboxOutbox(t)
  await box.append('Archive', mail('old'))
  await box.append('INBOX', mail('a'))
  await box.append('INBOX', mail('b'))
  const [a, b] = await box.mirrored()
  const moved = await box.move(b!, 'Archive')
  assert.equal(await releaseDraft(box.outbox.deps, moved.id), 'released')
  const taken = await takeBack(box.outbox.deps, moved.id)
  assert(taken.outcome === 'taken_back')
  assert.deepEqual([taken.receipt['restored_to'], typeof taken.receipt['undone_at']], ['INBOX', 'string'])
  assert.deepEqual((await box.list('INBOX')).map(({ raw }) => raw.toString()), [mail('a'), mail('b')])
  assert.deepEqual((await box.list('Archive')).map(({ raw }) => raw.toString()), [mail('old')])
  await assert.rejects(takeBack(box.outbox.deps, moved.id), { code: 'draft.not_undone' })

  const flag = async (add: string[], remove: string[] = []) => {
    const draft = await box.outbox.readyToRelease({ message: a, add, remove }, { kind: 'mail.flag', connector: 'mailbox' })
    assert.equal(await releaseDraft(box.outbox.deps, draft.id), 'released')
    return draft.id
  }
  await flag(['flagged'])
  const both = await flag(['flagged', 'Later'], ['seen'])
  await takeBack(box.outbox.deps, both)
  assert.deepEqual((await box.list('INBOX'))[0]!.flags.filter((one) => one !== '\\Recent'), ['\\Flagged'])
})

test('a sender other than the server reads is refused: an order may go by it', { skip }, async (t) => {
  const box = await mailboxOutbox(t)
  await box.append('Archive', mail('old'))
  await box.append('INBOX', mail('a'))
  const [id] = await box.mirrored()
  await box.outbox.database.owner.pool.query(`update mail_message set envelope = jsonb_set(envelope, '{from,address}', '"news@example.org"') where id = $1`, [id])
  const draft = await box.move(id!, 'Archive')
  assert.equal(await releaseDraft(box.outbox.deps, draft.id), 'failed')
  assert.match((await box.outbox.draft(draft.id)).reason!, /the server says that the message is from eva@example.org/)
  assert.equal((await box.list('INBOX')).length, 1)
})

test('a message that is gone, another in its place, or a folder that is not there: nothing is changed, and it is said', { skip }, async (t) => {
  const box = await mailboxOutbox(t)
  await box.append('Archive', mail('old'))
  const uid = await box.append('INBOX', mail('a'))
  await box.append('INBOX', mail('b'))
  const [a, b] = await box.mirrored()
  const reason = async (id: string) => (await box.outbox.draft(id)).reason
  const nowhere = await box.move(b!, 'Nowhere')
  assert.equal(await releaseDraft(box.outbox.deps, nowhere.id), 'failed')
  assert.match((await reason(nowhere.id))!, /nothing was changed: there is no folder Nowhere/)
  const gone = await box.move(a!, 'Archive')
  await box.expunge('INBOX', uid)
  assert.equal(await releaseDraft(box.outbox.deps, gone.id), 'failed')
  assert.match((await reason(gone.id))!, /not in INBOX any more/)

  // the mirror's word for the message is made to point at another one
  await box.append('INBOX', mail('c'))
  await box.outbox.database.owner.pool.query(`update mail_message set uid = split_part(uid, '/', 1) || '/3' where id = $1`, [b])
  const another = await box.move(b!, 'Archive')
  assert.equal(await releaseDraft(box.outbox.deps, another.id), 'failed')
  assert.match((await reason(another.id))!, /number 3 in INBOX is another message now/)
  assert.equal((await box.list('INBOX')).length, 2)
  assert.equal((await box.list('Archive')).length, 1)
})

test('while the server cannot be reached the move is held and tried again', { skip }, async (t) => {
  const box = await mailboxOutbox(t)
  await box.append('INBOX', mail('a'))
  await box.append('Archive', mail('x'))
  const [a] = await box.mirrored()
  const draft = await box.move(a!, 'Archive')
  const closed: ImapAccount = { ...plainAccount, port: 1, user: 'anybody' }
  const away = createImapConnector({ name: 'mailbox', kind: 'imap', account: closed }, createEntrance(systemClock, closed, 'secret'))
  const connectors = box.outbox.deps.connectors()
  const unreachable = { ...box.outbox.deps, connectors: () => ({ ...connectors, find: () => ({ ...away, account: box.connector.account }) }) }
  assert.equal(await releaseDraft(unreachable, draft.id), 'held')
  assert.match((await box.outbox.draft(draft.id)).reason!, /does not answer/)
  box.outbox.clock.advance(60_000)
  assert.equal(await releaseDraft(box.outbox.deps, draft.id), 'released')
  assert.equal((await box.list('Archive')).length, 2)
})

test('messages that were named anew since are not touched', { skip }, async (t) => {
  const box = await mailboxOutbox(t)
  await box.append('INBOX', mail('a'))
  await box.append('Archive', mail('x'))
  const [a] = await box.mirrored()
  await box.outbox.database.owner.pool.query(`update mail_message set uid = '7/1'`)
  const draft = await box.move(a!, 'Archive')
  assert.equal(await releaseDraft(box.outbox.deps, draft.id), 'failed')
  assert.match((await box.outbox.draft(draft.id)).reason!, /named the messages of INBOX anew/)
})

test('a connection that breaks before anything was done costs a try, and no more', { skip }, async (t) => {
  const box = await mailboxOutbox(t)
  await box.append('INBOX', mail('a'))
  const [id] = await box.mirrored()
  const { wire, document } = await box.move(id!, 'Archive')
  const entrance = createEntrance(systemClock, box.account, box.password)
  const broken = createImapConnector({ name: 'mailbox', kind: 'imap', account: box.account }, {
    ...entrance,
    enter: async (...args) => {
      const client = await entrance.enter(...args)
      client.close()
      return client
    },
  })
  let spent = 0
  await assert.rejects(broken.deliver(wire, JSON.parse(document), AbortSignal.timeout(20_000), async () => void (spent += 1)), { code: 'connector.try_again' })
  assert.equal(spent, 0)
})

test('after a crash it is found out whether the message was moved, or the flags are set', { skip }, async (t) => {
  const box = await mailboxOutbox(t)
  await box.append('Archive', mail('old'))
  await box.append('INBOX', mail('a'))
  const [id] = await box.mirrored()
  const move = await box.move(id!, 'Archive')
  const flag = await box.outbox.readyToRelease({ message: id, add: ['flagged'] }, { kind: 'mail.flag', connector: 'mailbox' })
  const ask = ({ wire, document }: typeof move) => box.connector.reconcile!(wire, JSON.parse(document), alone)
  assert.equal(await ask(move), undefined)
  assert.equal(await ask(flag), undefined)
  const deliver = ({ wire, document }: typeof move) => box.connector.deliver(wire, JSON.parse(document), AbortSignal.timeout(20_000), async () => {})
  await deliver(flag)
  assert.match(String((await ask(flag))?.['flags']), /\\Flagged/)
  const receipt = await deliver(move)
  assert.deepEqual(await ask(move), receipt)
  await assert.rejects(deliver(move), { code: 'connector.not_sent' })
  assert.equal((await box.list('Archive')).length, 2)
})

test('what names no message of that mailbox is refused when it is frozen; given up before it began, nothing is done', { skip }, async (t) => {
  const box = await mailboxOutbox(t)
  await box.append('INBOX', mail('a'))
  const [id] = await box.mirrored()
  const refusal = async (payload: object, kind: string) => {
    await assert.rejects(box.outbox.freeze(payload, { kind, connector: 'mailbox' }))
    const { rows } = await box.outbox.database.owner.pool.query(`select refusal from proposal order by proposed_at desc limit 1`)
    return rows[0].refusal
  }
  assert.match(await refusal({ message: '019514a0-0000-7000-8000-000000000001', to: 'Archive' }, 'mail.move'), /no message .* in the mirror/)
  assert.match(await refusal({ message: id, to: 'INBOX' }, 'mail.move'), /in INBOX already/)
  assert.match(await refusal({ message: id, to: 'A\r\nB' }, 'mail.move'), /control character/)
  assert.match(await refusal({ message: id, add: ['\\Deleted'] }, 'mail.flag'), /does not have the form/)
  assert.match(await refusal({ message: id, add: ['seen'], remove: ['seen'] }, 'mail.flag'), /at once/)
  assert.match(await refusal({ message: id }, 'mail.flag'), /no flag/)
  await box.outbox.database.owner.pool.query(`update mail_message set account = 'other'`)
  assert.match(await refusal({ message: id, to: 'Archive' }, 'mail.move'), /is in the mailbox other/)
  await box.outbox.database.owner.pool.query(`update mail_message set account = 'sample', uid = 'a.eml'`)
  assert.match(await refusal({ message: id, to: 'Archive' }, 'mail.move'), /not the number of one message/)
  await box.outbox.database.owner.pool.query(`update mail_message set uid = '1/1'`)
  const { wire, document } = await box.outbox.freeze({ message: id, add: ['seen'] }, { kind: 'mail.flag', connector: 'mailbox' })
  await assert.rejects(box.connector.deliver(wire, JSON.parse(document), AbortSignal.abort(), async () => {}), { code: 'connector.not_sent' })
  await assert.rejects(box.connector.deliver(Buffer.from('{"act":"move"}'), JSON.parse(document), AbortSignal.timeout(9_000), async () => {}), { code: 'connector.not_sent' })
})
