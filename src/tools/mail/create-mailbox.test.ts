import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { testDatabase } from '../../../test/support/database.ts'
import { openTestRun, type TestRun } from '../../../test/support/tool-run.ts'
import { newId } from '../../kernel/ids.ts'
import { UNLABELLED, type Label, type Level } from '../../labels/index.ts'
import { createSandbox } from '../../sandbox/index.ts'
import { createMailbox } from './create-mailbox.ts'
import { createMailParser, type ParseMail } from './parse-mail.ts'
import { emptyEnvelope } from './parsed-mail.ts'
import type { IngestedHead } from './read-waiting.ts'

const database = await testDatabase()
const owner = database.owner.pool
const realParse = createMailParser({ sandbox: await createSandbox() })
const signal = new AbortController().signal
const accountLabel: Label = { level: 2, integrity: 'untrusted', lanes: ['private'] }
let here: TestRun

beforeEach(async () => {
  await owner.query('delete from mail_message; delete from content')
  here = await openTestRun(database)
})

async function arrive(raw: string | Buffer, { level = 2, lanes = ['private'], received = new Date(), account = 'sample' }: { level?: Level; lanes?: string[]; received?: Date; account?: string } = {}): Promise<string> {
  const id = newId()
  const bytes = typeof raw === 'string' ? Buffer.from(raw.replaceAll('\n', '\r\n')) : raw
  await owner.query('select mail_store($1, $2, $3, $4, $5, $6, $7, $8, $9)', [id, account, 'inbox', id, bytes, received, level, 'untrusted', lanes])
  return id
}

function mailbox(more: { parse?: ParseMail; labelOf?: (mail: IngestedHead) => Label; as?: 'castellan_worker_open' | 'castellan_worker_private' } = {}) {
  return createMailbox({
    database: database.as(more.as ?? 'castellan_worker_private'), parse: more.parse ?? realParse, labelOf: more.labelOf ?? (() => accountLabel), signal, ...here,
  })
}
const letter = (subject: string, body = 'text', from = 'Eva <eva@example.org>') => `From: ${from}\nTo: mira@halden.example\nSubject: ${subject}\nMessage-ID: <${subject.length}@x>\n\n${body}`

test('messages are read when somebody first asks for them, and recorded', async () => {
  const id = await arrive(letter('Hello', 'Good morning'))
  const [message] = await mailbox().list({ limit: 10 })
  assert.deepEqual([message!.id, message!.envelope.subject, message!.text, message!.label], [id, 'Hello', 'Good morning', accountLabel])
  const { rows } = await owner.query('select parsed_at is not null as read, body_text, envelope ->> \'subject\' as subject, parse_error from mail_message')
  assert.deepEqual(rows, [{ read: true, body_text: 'Good morning', subject: 'Hello', parse_error: null }])
})

test('what is read raises the label of the run; what is only there does not', async () => {
  await arrive(letter('Hello'))
  assert.deepEqual(here.label(), { level: 1, integrity: 'trusted', lanes: ['private'] })
  await mailbox().list({ limit: 10, account: 'other' })
  assert.equal(here.label().level, 1)
  await mailbox().list({ limit: 10 })
  assert.deepEqual(here.label(), { level: 2, integrity: 'untrusted', lanes: ['private'] })
})

test('messages above the level of the run are not there for it', async () => {
  const id = await arrive(letter('Secret'), { level: 3 })
  assert.deepEqual(await mailbox().list({ limit: 10 }), [])
  await assert.rejects(mailbox().read(id), { kind: 'missing', code: 'mail.missing' })
  assert.deepEqual(await mailbox().search({ query: 'secret', limit: 10 }), [])
  here = await openTestRun(database, { readsUpTo: 3 })
  assert.equal((await mailbox().read(id)).envelope.subject, 'Secret')
  assert.equal(here.label().level, 3)
})

test('the open worker sees nothing of a private lane, by its role alone', async () => {
  await arrive(letter('Private'), { level: 1 })
  await arrive(letter('Open'), { level: 1, lanes: ['open'] })
  const seen = await mailbox({ as: 'castellan_worker_open', labelOf: () => ({ level: 1, integrity: 'untrusted', lanes: ['open'] }) }).list({ limit: 10 })
  assert.deepEqual(seen.map((message) => message.envelope.subject), ['Open'])
})

test('a rule about the sender and a detector raise the message before the run sees it', async () => {
  await arrive(letter('Appointment', 'x', 'Praxis <termine@praxis.example>'))
  await arrive(letter('Key', '-----BEGIN RSA PRIVATE KEY-----\nMIIE'))
  await arrive(letter('Fine'))
  const asked: IngestedHead[] = []
  const labelOf = (mail: IngestedHead): Label => {
    asked.push(mail)
    return { level: mail.from.endsWith('@praxis.example') ? 3 : 2, integrity: 'untrusted', lanes: mail.from.endsWith('@praxis.example') ? ['health', 'private'] : ['private'] }
  }
  assert.deepEqual((await mailbox({ labelOf }).list({ limit: 10 })).map((message) => message.envelope.subject), ['Fine'])
  assert.deepEqual(asked.map((mail) => [mail.account, mail.from, mail.to]).sort()[0], ['sample', 'eva@example.org', ['mira@halden.example']])
  const { rows } = await owner.query(`select m.label_level, m.label_lanes, c.label_level as content from mail_message m join content c on c.hash = m.raw_hash where m.envelope ->> 'subject' = 'Appointment'`)
  assert.deepEqual(rows, [{ label_level: 3, label_lanes: ['health', 'private'], content: 3 }])
})

test('a rule cannot lower what a message came with', async () => {
  await arrive(letter('High'), { level: 3, lanes: ['private', 'work'] })
  here = await openTestRun(database, { readsUpTo: 3 })
  const [message] = await mailbox({ labelOf: () => ({ level: 0, integrity: 'trusted', lanes: [] }) }).list({ limit: 10 })
  assert.deepEqual(message!.label, { level: 3, integrity: 'untrusted', lanes: ['private', 'work'] })
})

test('a message that cannot be read is listed with what could be, told why, and never tried again', async () => {
  await arrive(`From: a@b.example\nSubject: bomb\nContent-Type: multipart/mixed; boundary=B\n\n${'--B\n\n'.repeat(1_000)}`)
  let batches = 0
  const parse: ParseMail = (raws, ended) => {
    batches += 1
    return realParse(raws, ended)
  }
  for (let at = 0; at < 2; at += 1) {
    const [message] = await mailbox({ parse }).list({ limit: 10 })
    assert.deepEqual([message!.envelope.subject, message!.parseError?.code], ['bomb', 'mail.limit'])
  }
  assert.equal(batches, 1)
  assert.deepEqual(here.logged, ['a message could be read only in part'])
})

test('what was read before the reader failed stays read', async () => {
  const times = [1, 2, 3].map((hour) => new Date(Date.UTC(2026, 10, 20, hour)))
  for (const [at, received] of times.entries()) await arrive(letter(`n${at}`), { received })
  const parse: ParseMail = async function* () {
    yield [0, { envelope: { ...emptyEnvelope, subject: 'newest' }, text: '' }]
    throw new Error('the process is gone')
  }
  await assert.rejects(mailbox({ parse }).list({ limit: 10 }), /the process is gone/)
  assert.deepEqual((await mailbox().list({ limit: 10 })).map((message) => message.envelope.subject), ['newest', 'n1', 'n0'])
})

test('text that PostgreSQL cannot keep does not hold a message up', async () => {
  await arrive(Buffer.from('From: a@b.example\r\nSubject: nul\r\n\r\na\0b'))
  const [message] = await mailbox().list({ limit: 10 })
  assert.equal(message!.text, 'a\uFFFDb')
})

test('two messages with the same Message-ID, or the same bytes, are two messages', async () => {
  await arrive(letter('twin', 'one'))
  await arrive(letter('twin', 'two'))
  await arrive(letter('twin', 'two'), { account: 'other' })
  assert.deepEqual((await mailbox().list({ limit: 10 })).map((message) => message.text).sort(), ['one', 'two', 'two'])
})

test('a message whose bytes were erased is listed as such', async () => {
  await arrive(letter('gone'))
  await owner.query('update content set body = null')
  assert.equal((await mailbox().list({ limit: 10 }))[0]!.parseError?.code, 'mail.gone')
})

test('a list is newest first, and can be asked for an account, a time and a number', async () => {
  for (const hour of [1, 3, 2]) await arrive(letter(`at ${hour}`), { received: new Date(Date.UTC(2026, 10, 20, hour)) })
  await arrive(letter('elsewhere'), { account: 'other', received: new Date(Date.UTC(2026, 10, 20, 4)) })
  const subjects = async (query: Parameters<ReturnType<typeof mailbox>['list']>[0]) => (await mailbox().list(query)).map((message) => message.envelope.subject)
  assert.deepEqual(await subjects({ account: 'sample', limit: 10 }), ['at 3', 'at 2', 'at 1'])
  assert.deepEqual(await subjects({ since: new Date(Date.UTC(2026, 10, 20, 2)), limit: 10 }), ['elsewhere', 'at 3', 'at 2'])
  assert.deepEqual(await subjects({ limit: 1 }), ['elsewhere'])
})

test('search finds words of subject and text, phrases, and parts of names and addresses; wildcards and quotes are letters', async () => {
  await arrive(letter('Quote for the museum', 'timed tickets in spring'))
  await arrive(letter('Lunch', 'the museum is closed', 'Ines <i.okafor@ostkai.example>'))
  const found = async (query: string) => (await mailbox().search({ query, limit: 10 })).map((message) => message.envelope.subject).sort()
  assert.deepEqual(await found('museum'), ['Lunch', 'Quote for the museum'])
  assert.deepEqual(await found('museum tickets'), ['Quote for the museum'])
  assert.deepEqual(await found('"timed tickets"'), ['Quote for the museum'])
  assert.deepEqual(await found('museum -tickets'), ['Lunch'])
  assert.deepEqual(await found('OKAFOR@ostkai'), ['Lunch'])
  for (const nothing of ['%', '_', "'; drop table mail_message; --", '\0', '"name"']) assert.deepEqual(await found(nothing), [], nothing)
})

test('a message without any rule is taken for the worst', async () => {
  await arrive(letter('stray'), { lanes: [] })
  assert.deepEqual(await mailbox({ labelOf: () => UNLABELLED }).list({ limit: 10 }), [])
})

test('more messages than one batch are all read', async () => {
  for (let at = 0; at < 45; at += 1) await arrive(letter(`n${at}`))
  assert.equal((await mailbox().list({ limit: 100 })).filter((message) => message.envelope.subject.startsWith('n')).length, 45)
})

test('a message whose time was over is there no more', async () => {
  const id = await arrive(letter('Old'))
  await arrive(letter('Young'))
  assert.equal((await mailbox().list({ limit: 10 })).length, 2)
  await owner.query('update mail_message set envelope = null, body_text = null, message_id = null where id = $1', [id]) // as the sweep does
  assert.deepEqual((await mailbox().list({ limit: 10 })).map(({ envelope }) => envelope.subject), ['Young'])
  await assert.rejects(mailbox().read(id), { code: 'mail.missing' })
})
