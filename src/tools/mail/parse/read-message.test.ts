import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { readMessage } from './read-message.ts'

async function* inChunks(raw: Buffer, size = 65_536): AsyncGenerator<Buffer> {
  for (let at = 0; at < raw.length; at += size) yield raw.subarray(at, at + size)
}
const read = (raw: string | Buffer, size?: number) => readMessage(inChunks(typeof raw === 'string' ? Buffer.from(raw.replaceAll(/\r?\n/g, '\r\n')) : raw, size))
const head = 'From: Eva <eva@example.org>\nTo: mira@halden.example\nSubject: Hello\nMessage-ID: <1@example.org>\nDate: Fri, 20 Nov 2026 06:12:33 +0100\n'

describe('an ordinary message', () => {
  test('is read with its head and its text', async () => {
    const { envelope, text, error } = await read(`${head}In-Reply-To: <0@example.org>\nReferences: <a@x> <b@x>\nCc: "Group: a" <c@example.org>\n\nGood morning,\n\nthis is it.\n`)
    assert.equal(error, undefined)
    assert.equal(text, 'Good morning,\n\nthis is it.')
    assert.deepEqual(envelope, {
      from: { name: 'Eva', address: 'eva@example.org' }, to: [{ name: '', address: 'mira@halden.example' }], cc: [{ name: 'Group: a', address: 'c@example.org' }], replyTo: [],
      subject: 'Hello', date: '2026-11-20T05:12:33.000Z', messageId: '<1@example.org>', inReplyTo: '<0@example.org>', references: ['<a@x>', '<b@x>'],
      listUnsubscribe: false, autoSubmitted: false, attachments: [], snippet: 'Good morning, this is it.', warnings: [],
    })
  })

  test('gives the same whatever the pieces in which it arrives', async () => {
    const raw = Buffer.from(`${head}Content-Type: multipart/mixed; boundary=B\n\n--B\n\nText\n--B\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\nSGVsbG8=\n--B--\n`)
    const whole = await read(raw)
    assert.equal(whole.envelope.attachments.length, 1)
    for (const size of [1, 7, 64]) assert.deepEqual(await read(raw, size), whole)
  })

  test('of alternatives the plain one is taken, of HTML alone its text with the targets of links', async () => {
    const alternative = (parts: string) => `${head}MIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=B\n\n${parts}--B--\n`
    const plain = '--B\nContent-Type: text/plain\n\nplain\n'
    const html = '--B\nContent-Type: text/html\n\n<p>Sign in <a href="https://evil.example">here</a></p>\n'
    assert.equal((await read(alternative(plain + html))).text, 'plain')
    assert.equal((await read(alternative(html))).text, 'Sign in here <https://evil.example>')
    assert.equal((await read(alternative(`--B\nContent-Type: text/plain\n\n \n${html}`))).text, 'Sign in here <https://evil.example>')
  })

  test('names its attachments with type, size and hash of what they decode to', async () => {
    const { envelope, text } = await read(`${head}Content-Type: multipart/mixed; boundary=B\n\n--B\n\nsee there\n--B\nContent-Type: text/csv\nContent-Disposition: attachment; filename*=UTF-8''z%C3%A4hler.csv\n\n1;2\n--B--\n`)
    assert.equal(text, 'see there')
    assert.deepEqual(envelope.attachments, [{ name: 'zähler.csv', type: 'text/csv', size: 3, sha256: createHash('sha256').update('1;2').digest('hex') }])
  })

  test('is decoded from its character set, also one that is not UTF-8, and survives one that is unknown or wrong', async () => {
    const latin = Buffer.concat([Buffer.from(`${head}Content-Type: text/plain; charset=iso-8859-1\n\n`), Buffer.from('schön für 5 \xa3', 'latin1')])
    assert.equal((await read(latin)).text, 'schön für 5 £')
    const japanese = Buffer.concat([Buffer.from(`${head}Content-Type: text/plain; charset=iso-2022-jp\n\n`), Buffer.from('\x1b$B$3$s\x1b(B', 'latin1')])
    assert.equal((await read(japanese)).text, 'こん')
    for (const charset of ['x-unknown', 'utf-8', '']) {
      const wrong = Buffer.concat([Buffer.from(`${head}Content-Type: text/plain; charset="${charset}"\n\nsch`), Buffer.from([0xf6, 0xff]), Buffer.from('n')])
      assert.match((await read(wrong)).text, /^sch.*n$/)
    }
  })
})

describe('a head that deceives', () => {
  const warningsOf = async (lines: string) => (await read(`${lines}\n\nx`)).envelope.warnings.join('; ')

  test('with a name that shows another address', async () => {
    assert.match(await warningsOf('From: "boss@halden.example" <x@evil.example>'), /shows another address \(boss@halden\.example\)/)
  })

  test('with a domain in letters of another alphabet, shown in ASCII', async () => {
    const mixed = await read('From: a@xn--pple-43d.com\n\nx')
    assert.equal(mixed.envelope.from.address, 'a@xn--pple-43d.com')
    assert.match(mixed.envelope.warnings.join(), /mixes the alphabets Latin and Cyrillic/)
    assert.match(await warningsOf('From: a@аррӏе.com'), /imitates "apple"/)
  })

  test('with a domain that looks like the one it was sent to', async () => {
    assert.match(await warningsOf('From: boss@ha1den.example\nTo: mira@halden.example'), /looks like halden\.example/)
    assert.equal(await warningsOf('From: boss@halden.example\nTo: mira@halden.example'), '')
  })

  test('with answers that go elsewhere, two senders, or none', async () => {
    assert.match(await warningsOf('From: a@b.example\nReply-To: c@d.example'), /replies go to c@d\.example/)
    assert.match(await warningsOf('From: a@b.example\nFrom: c@d.example'), /2 From lines/)
    assert.match(await warningsOf('Subject: x'), /names no sender/)
  })

  test('with characters that turn the text around', async () => {
    assert.match(await warningsOf('From: a@b.example\nSubject: =?utf-8?B?4oCuZXhlLnBkZg==?='), /invisible characters/)
  })

  test('and ordinary international domains are left alone', async () => {
    for (const address of ['a@münchen.example', 'a@пример.рф', 'a@例え.jp', 'a@ελλάδα.gr']) assert.equal(await warningsOf(`From: ${address}`), '', address)
  })
})

describe('a message that is broken or built to harm', () => {
  test('of 50 MB is read in bounded memory, its attachment named by size and hash', async () => {
    const line = Buffer.from(`${Buffer.alloc(57, 'A').toString('base64')}\r\n`)
    const lines = 640_000
    const start = Buffer.from(`${head}Content-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\n\r\nsee there\r\n--B\r\nContent-Type: application/zip; name=big.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n`)
    let most = 0
    async function* large(): AsyncGenerator<Buffer> {
      yield start
      const block = Buffer.concat(Array.from({ length: 1_000 }, () => line))
      for (let at = 0; at < lines; at += 1_000) {
        yield block
        most = Math.max(most, process.memoryUsage().arrayBuffers)
      }
      yield Buffer.from('--B--\r\n')
    }
    const before = process.memoryUsage().arrayBuffers
    const { envelope, text, error } = await readMessage(large())
    assert.equal(error, undefined)
    assert.equal(text, 'see there')
    assert.equal(envelope.attachments[0]!.size, 57 * lines)
    assert.ok(most - before < 40_000_000, `${most - before} bytes were held`)
  })

  test('with 50 MB of text keeps the beginning and says so, in bounded memory', async () => {
    const line = Buffer.from('all work and no play makes a dull text, and so on it goes.\r\n')
    const block = Buffer.concat(Array.from({ length: 1_000 }, () => line))
    let most = 0
    async function* large(): AsyncGenerator<Buffer> {
      yield Buffer.from(`${head.replaceAll('\n', '\r\n')}\r\n`)
      for (let at = 0; at < 850; at += 1) {
        yield block
        most = Math.max(most, process.memoryUsage().arrayBuffers)
      }
    }
    const before = process.memoryUsage().arrayBuffers
    const { envelope, text, error } = await readMessage(large())
    assert.equal(envelope.subject, 'Hello')
    assert.equal(text.length, 200_000)
    assert.deepEqual([error?.code, error?.message], ['mail.text_size', 'its text was longer than is read; the rest is left out'])
    assert.ok(most - before < 30_000_000, `${most - before} bytes were held`)
  })

  test('with thousands of nested parts ends at a limit, and keeps its head', async () => {
    const nested = Array.from({ length: 5_000 }, (_, at) => `--b${at}\nContent-Type: multipart/mixed; boundary=b${at + 1}\n\n`).join('')
    const { envelope, error } = await read(`${head}Content-Type: multipart/mixed; boundary=b0\n\n${nested}`)
    assert.equal(envelope.subject, 'Hello')
    assert.deepEqual([error?.code, /child nodes/.test(error!.message)], ['mail.limit', true])
  })

  test('with thousands of parts beside each other likewise, and keeps what it read', async () => {
    const { text, error } = await read(`${head}Content-Type: multipart/mixed; boundary=B\n\n--B\n\nthe first\n${'--B\nContent-Type: application/x; name=a\n\nx\n'.repeat(3_000)}--B--\n`)
    assert.equal(error?.code, 'mail.limit')
    assert.match(text, /the first/)
  })

  test('that hides messages in messages is read to a limit', async () => {
    const { envelope, error } = await read(`${head}${'Content-Type: message/rfc822\nContent-Disposition: inline\n\n'.repeat(3_000)}deep`)
    assert.equal(envelope.subject, 'Hello')
    assert.equal(error?.code, 'mail.limit')
  })

  test('with a flood of header lines, or one endless line, keeps what stood before', async () => {
    const many = await read(`${head}${'X-Flood: yes\n'.repeat(100_000)}\nbody`)
    assert.deepEqual([many.envelope.subject, many.envelope.from.address, many.error?.code], ['Hello', 'eva@example.org', 'mail.limit'])
    const long = await read(`${head}X-Long: ${'a'.repeat(3_000_000)}\n\nbody`)
    assert.deepEqual([long.envelope.subject, long.error?.code], ['Hello', 'mail.limit'])
  })

  test('with thousands of recipients keeps two hundred', async () => {
    const to = Array.from({ length: 3_000 }, (_, at) => `r${at}@example.org`).join(',\n ')
    assert.equal((await read(`From: a@b.example\nTo: ${to}\n\nx`)).envelope.to.length, 200)
  })

  test('with boundaries that never come, come twice or are empty is still read', async () => {
    const broken = [
      'Content-Type: multipart/mixed; boundary=B\n\nno boundary at all',
      'Content-Type: multipart/mixed; boundary=B\n\n--B\n\nfirst\n--B--\n--B\n\nafter the end\n--B--',
      'Content-Type: multipart/mixed; boundary=""\n\n--\n\nx\n----',
      'Content-Type: multipart/mixed\n\n--B\n\nx\n--B--',
      'Content-Type: multipart/mixed; boundary=B\n\n--B\nContent-Type: text/plain',
      'Content-Type: text/plain; charset="\n\nx', 'Content-Transfer-Encoding: base64\n\n!!!! not base64 ====', 'Content-Transfer-Encoding: quoted-printable\n\n=ZZ=',
      'Date: the day after tomorrow\n\nx', 'To: ,,,;<>@"\n\nx', 'Subject: =?utf-8?B?//////\n\nx', 'Content-Type: \0\0;;;\n\nx',
    ]
    for (const lines of broken) {
      const { envelope } = await read(`From: Eva <eva@example.org>\nSubject: Hello\n${lines}`)
      assert.equal(envelope.from.address, 'eva@example.org', lines)
    }
    assert.equal((await read('From: a@b.example\nDate: the day after tomorrow\n\nx')).envelope.date, null)
  })

  test('that is empty, or no message at all, gives an empty head', async () => {
    for (const raw of ['', 'garbage', '\n\n\n', '\0'.repeat(1_000)]) assert.equal((await read(raw)).envelope.from.address, '')
  })

  test('that has only line ends ends at a time limit, with its head', async () => {
    const raw = Buffer.concat([Buffer.from(`${head}\r\n`), Buffer.alloc(30_000_000, '\n')])
    const { envelope, error } = await readMessage(inChunks(raw), 100)
    assert.equal(envelope.subject, 'Hello')
    assert.deepEqual([error?.code, /too long/.test(error!.message)], ['mail.limit', true])
  })
})
