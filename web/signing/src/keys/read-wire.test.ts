import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readWire } from './read-wire.ts'

const wire = (lines: readonly string[]) => new Uint8Array(Buffer.from(lines.join('\r\n'), 'latin1'))

test('the text of a plain mail is the one that stands in the bytes, with every space', () => {
  const { text, headers } = readWire(wire(['From: a@b.example', 'Subject: A long', ' one', 'Content-Transfer-Encoding: 7bit', '', 'Dear  Eva,', '', '\tThursday.  ', '']))
  assert.equal(text, 'Dear  Eva,\n\n\tThursday.  \n')
  assert.deepEqual(headers[1], { name: 'Subject', value: 'A long one' })
})

test('quoted-printable is decoded as UTF-8, soft line ends are none', () => {
  const { text } = readWire(wire(['Content-Transfer-Encoding: quoted-printable', '', 'Gr=C3=BC=C3=9Fe, a=', 'nd 1=3D1', '']))
  assert.equal(text, 'Grüße, and 1=1\n')
})

test('base64 is decoded, and a byte order mark is kept to be seen', () => {
  const { text } = readWire(wire(['Content-Transfer-Encoding: base64', '', Buffer.from('\uFEFFhallo\r\n').toString('base64'), '']))
  assert.equal(text, '\uFEFFhallo\n')
})

test('with attachments, the text is the first part alone', () => {
  const { text } = readWire(wire([
    'Content-Type: multipart/mixed;', ' boundary="x"', '', '--x', 'Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: 7bit', '', 'See attached.', '--x',
    'Content-Type: text/plain', '', 'not this', '--x--', '',
  ]))
  assert.equal(text, 'See attached.')
})
