import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { simpleParser } from 'mailparser'
import { Fault } from '../../kernel/fault.ts'
import { composeMail } from './mail.ts'
import { textOfWire } from './read-wire.ts'

const frame = { id: '019514a0-0000-7000-8000-000000000001', nonce: 'ab'.repeat(32), at: new Date('2026-03-02T09:00:00Z'), from: 'Müllers Haus <haus@bücher.example>' }
const plain = { to: ['eva@example.org'], subject: 'Termin', text: 'Bis Montag.' }

async function refusal(payload: unknown): Promise<string> {
  try {
    await composeMail(payload, frame)
  } catch (error) {
    assert(error instanceof Fault, String(error))
    assert.equal(error.kind, 'invalid')
    return error.code
  }
  return 'composed'
}

test('the same proposal and frame give the same bytes, and another nonce gives others', async () => {
  const payload = { ...plain, attachments: [{ name: 'a.pdf', type: 'application/pdf', content: 'aGk=' }] }
  const one = await composeMail(payload, frame)
  assert.deepEqual(await composeMail(structuredClone(payload), { ...frame }), one)
  const other = await composeMail(payload, { ...frame, nonce: 'cd'.repeat(32) })
  assert.notDeepEqual(other.wire, one.wire)
})

test('a mail parser reads in the bytes exactly what was proposed', async () => {
  const content = Buffer.from([0, 1, 2, 250, 13, 10, 46])
  const { wire, recipients, attachments } = await composeMail(
    {
      to: ['Eva <eva@example.org>', '"Ott, Max" <max@bücher.example>'], cc: 'carla@example.org', bcc: ['secret@example.org'],
      subject: 'Grüße — und ein langer Betreff, der über mehrere Zeilen gefaltet werden muss, weil er so lang ist',
      text: 'Zeile 1\r\nFrom here\n.\n\tüber\n' + 'x'.repeat(2000),
      inReplyTo: 'q1@example.org', references: ['<q0@example.org>', '<q1@example.org>'],
      attachments: [{ name: 'größe.pdf', type: 'application/pdf', content: content.toString('base64') }],
    },
    frame,
  )
  const read = await simpleParser(wire)
  assert.deepEqual(read.from?.value, [{ name: 'Müllers Haus', address: 'haus@bücher.example' }])
  assert(wire.includes('haus@xn--bcher-kva.example') && !wire.includes('bücher'))
  assert.deepEqual([read.to].flat()[0]?.value, [{ name: 'Eva', address: 'eva@example.org' }, { name: 'Ott, Max', address: 'max@bücher.example' }])
  assert.equal([read.cc].flat()[0]?.text, 'carla@example.org')
  assert.equal(read.bcc, undefined)
  assert(!wire.includes('secret@example.org'))
  assert.equal(read.subject, 'Grüße — und ein langer Betreff, der über mehrere Zeilen gefaltet werden muss, weil er so lang ist')
  assert.equal(read.text, 'Zeile 1\nFrom here\n.\n\tüber\n' + 'x'.repeat(2000) + '\n')
  assert.equal(read.inReplyTo, '<q1@example.org>')
  assert.deepEqual(read.references, ['<q0@example.org>', '<q1@example.org>'])
  assert.equal(read.messageId, `<${frame.id}@xn--bcher-kva.example>`)
  assert.deepEqual(read.date, frame.at)
  assert.deepEqual(read.attachments.map(({ filename, contentType, content: bytes }) => ({ filename, contentType, bytes })), [
    { filename: 'größe.pdf', contentType: 'application/pdf', bytes: content },
  ])
  assert.deepEqual(recipients.bcc, ['secret@example.org'])
  assert.equal(attachments[0]?.length, 7)
})

test('the chain of an answer ends with what it answers, and is one line for whoever unfolds it', async () => {
  const chainOf = async (payload: object) => {
    const { wire } = await composeMail({ ...plain, ...payload }, frame)
    const head = wire.subarray(0, wire.indexOf('\r\n\r\n')).toString('latin1').replace(/\r\n[ \t]+/g, ' ')
    return ['In-Reply-To', 'References'].map((name) => new RegExp(`^${name}: (.*)$`, 'm').exec(head)?.[1])
  }
  assert.deepEqual(await chainOf({ inReplyTo: '<2@x>' }), ['<2@x>', '<2@x>'])
  assert.deepEqual(await chainOf({ inReplyTo: '<2@x>', references: ['<0@x>', '<1@x>'] }), ['<2@x>', '<0@x> <1@x> <2@x>'])
  assert.deepEqual(await chainOf({ inReplyTo: '<1@x>', references: ['<0@x>', '<1@x>', '<2@x>'] }), ['<1@x>', '<0@x> <2@x> <1@x>'])
  assert.deepEqual(await chainOf({ references: ['<0@x>'] }), [undefined, '<0@x>'])
  const long = Array.from({ length: 20 }, (_, n) => `<${String(n).repeat(100)}@x>`)
  assert.deepEqual(await chainOf({ inReplyTo: long.at(-1), references: long }), [long.at(-1), long.join(' ')])
})

const injections = ['\r\nBcc: x@evil.example', '\nX: y', '\rX: y', '\0', '\u0085X: y', '\u2028X: y', '\u001b[2J', '\u202etxt.exe', '\ud800']

for (const field of ['to', 'cc', 'bcc', 'subject', 'inReplyTo', 'references', 'attachment name', 'attachment type']) {
  test(`a control character in ${field} is refused, whichever it is and wherever it stands`, async () => {
    for (const injection of injections) {
      for (const place of [(text: string) => text + injection, (text: string) => injection + text, (text: string) => text.slice(0, 3) + injection + text.slice(3)]) {
        const attachment = { name: 'file.pdf', type: 'application/pdf', content: 'aGk=' }
        const payload: Record<string, unknown> = { ...plain }
        if (field === 'attachment name') payload['attachments'] = [{ ...attachment, name: place(attachment.name) }]
        else if (field === 'attachment type') payload['attachments'] = [{ ...attachment, type: place(attachment.type) }]
        else if (field === 'subject') payload['subject'] = place('Termin')
        else if (field === 'inReplyTo') payload['inReplyTo'] = place('<q1@example.org>')
        else if (field === 'references') payload['references'] = [place('<q1@example.org>')]
        else payload[field] = [place('Eva <eva@example.org>')]
        assert.match(await refusal(payload), /^mail\.(control|address|reference|attachment)$/, JSON.stringify(payload))
      }
    }
  })
}

test('a control character in the text is refused, tabs and line ends are not', async () => {
  for (const character of ['\0', '\u001b', '\u0085', '\u202e', '\r', '\ud800']) assert.equal(await refusal({ ...plain, text: `a${character}b` }), 'mail.control')
  assert.equal(await refusal({ ...plain, text: 'a\tb\r\nc\nd' }), 'composed')
})

test('whatever the fields hold, the head has no header that Castellan does not write, and the text is the one that was proposed', async () => {
  const line = fc.string({ unit: 'binary', maxLength: 60 })
  await fc.assert(
    fc.asyncProperty(line, line, fc.string({ unit: 'binary', maxLength: 400 }), line, async (subject, name, text, file) => {
      const composed = await composeMail(
        { to: [`${name} <eva@example.org>`], subject, text, attachments: [{ name: file, content: 'aGk=' }] }, frame,
      ).catch((error: unknown) => {
        assert(error instanceof Fault && error.kind === 'invalid', String(error))
        return undefined
      })
      if (!composed) return
      const read = await simpleParser(composed.wire)
      const expected = ['content-type', 'date', 'from', 'message-id', 'mime-version', ...(subject === '' ? [] : ['subject']), 'to']
      assert.deepEqual([...read.headers.keys()].sort(), expected)
      assert.equal([read.to].flat()[0]?.value.length, 1)
      assert.equal(textOfWire(composed.wire), endWithLine(text.replaceAll('\r\n', '\n')))
      assert.equal(read.attachments.length, 1)
    }),
    { numRuns: 500 },
  )
})

function endWithLine(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`
}

test('addresses that two programs could read differently are refused', async () => {
  for (const address of [
    '', 'eva', '@example.org', 'eva@', 'eva@localhost', 'eva@@example.org', 'a@b@example.org', 'eva@example..org', 'eva@-x.org', 'eva@[127.0.0.1]', 'eva@1.2.3.4',
    '"a b"@example.org', 'eva@example.org, max@example.org', 'eva@example.org max@example.org', 'eva@example.org>', '<eva@example.org', 'Eva <eva@example.org> x',
    'boss@bank.example <eva@evil.example>', 'üva@example.org', `${'a'.repeat(65)}@example.org`, `a@${'b'.repeat(64)}.org`, 'a <b> <c@example.org>', 'eva@exa mple.org', 'eva@example.org\u0000',
    'x:eva@example.org;', 'eva(comment)@example.org', '.eva@example.org', 'eva.@example.org',
  ]) {
    assert.match(await refusal({ ...plain, to: [address] }), /^mail\.(address|control)$/, address)
  }
})

test('a look-alike domain shows in its ASCII form', async () => {
  const { recipients } = await composeMail({ ...plain, to: ['eva@pаypal.example'] }, frame) // a Cyrillic а
  assert.deepEqual(recipients.to, ['eva@xn--pypal-4ve.example'])
})

test('fields that the schema does not know are refused, the sender among them', async () => {
  for (const extra of [{ from: 'boss@example.org' }, { html: '<b>' }, { headers: { 'X-A': 'b' } }, { replyTo: 'x@example.org' }, { raw: 'x' }]) {
    assert.equal(await refusal({ ...plain, ...extra }), 'mail.payload')
  }
  assert.equal(await refusal({ ...plain, attachments: [{ name: 'x', path: '/etc/passwd', content: '' }] }), 'mail.payload')
  for (const nonsense of [null, 7, 'mail', [], { to: [] }, { ...plain, to: [] }, { ...plain, text: 5 }]) assert.equal(await refusal(nonsense), 'mail.payload')
})

test('more than a mail may carry is refused', async () => {
  assert.equal(await refusal({ ...plain, to: Array.from({ length: 101 }, (_, index) => `a${index}@example.org`) }), 'mail.limit')
  assert.equal(await refusal({ ...plain, subject: 'x'.repeat(501) }), 'mail.limit')
  assert.equal(await refusal({ ...plain, text: 'x'.repeat(1024 * 1024 + 1) }), 'mail.limit')
  assert.equal(await refusal({ ...plain, attachments: [{ name: 'x', type: 'message/rfc822', content: 'aGk=' }] }), 'mail.attachment')
  assert.equal(await refusal({ ...plain, attachments: [{ name: '../x', content: 'aGk=' }] }), 'mail.attachment')
})
