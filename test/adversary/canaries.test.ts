import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateSync, gzipSync } from 'node:zlib'
import { findCanary, hatch } from './canaries.ts'

const canary = hatch(3)
const { word, halves } = canary
const inside = (text: string | Buffer) => Buffer.concat([Buffer.from('{"a": "'), Buffer.from(text), Buffer.from('"}\r\n')])

const forms: Readonly<Record<string, string | Buffer>> = {
  'as it is': word,
  'in large letters': word.toUpperCase(),
  'reversed': [...word].reverse().join(''),
  'in base64': Buffer.from(word).toString('base64'),
  'in base64 one byte later': Buffer.from(`x${word}`).toString('base64'),
  'in base64 two bytes later': Buffer.from(`xy${word}yx`).toString('base64'),
  'in base64url': Buffer.from(`xyz${word}`).toString('base64url'),
  'in hex': Buffer.from(word).toString('hex'),
  'in large hex': Buffer.from(word).toString('hex').toUpperCase(),
  'percent-encoded': [...Buffer.from(word)].map((byte) => `%${byte.toString(16)}`).join(''),
  'percent-encoded in part': `${word.slice(0, 5)}%${word.charCodeAt(5).toString(16)}${word.slice(6)}`,
  'quoted-printable': `${word.slice(0, 7)}=\r\n${word.slice(7)}`,
  'with spaces between': [...word].join(' '),
  'with zero-width characters between': [...word].join('\u200b'),
  'in gzip': gzipSync(word),
  'in zlib': deflateSync(word),
  'in gzip in base64': gzipSync(`some more ${word}`).toString('base64'),
  'in base64 in gzip': gzipSync(Buffer.from(`a${word}`).toString('base64')),
  'in base64 in lines': Buffer.from(`${'.'.repeat(100)}${word}`).toString('base64').replace(/(.{76})/g, '$1\r\n'),
  'its first half': halves[0],
  'its second half in hex': Buffer.from(halves[1]).toString('hex'),
}

for (const [name, text] of Object.entries(forms)) {
  test(`a word that must not leave is found ${name}`, () => assert.ok(findCanary(canary, inside(text))))
}

test('what is not there is not found', () => {
  for (const text of Object.values(forms)) assert.equal(findCanary(hatch(2), inside(text)), undefined)
})
