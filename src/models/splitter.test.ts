import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createSplitter } from './splitter.ts'
import { isFault } from './upstream.contract.ts'

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? bytes.length
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  return pieces
}

const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 })
const text = fc.array(fc.constantFrom('\n', '\r\n', '\r', 'data: {}', ': ping', 'ü', '🦊', ''), { maxLength: 30 }).map((parts) => parts.join(''))

test('however a stream is cut, no byte is lost and the pieces are the same', () => {
  fc.assert(fc.property(text, sizes, fc.constantFrom('line' as const, 'event' as const), (said, into, by) => {
    const bytes = Buffer.from(said)
    const splitter = createSplitter('it', by)
    const pieces = cut(bytes, into).flatMap((piece) => splitter.push(piece))
    assert.equal(Buffer.concat([...pieces, splitter.rest()]).toString(), said)
    const atOnce = createSplitter('it', by)
    assert.deepEqual(pieces.map(String), atOnce.push(bytes).map(String))
  }))
})

test('an event ends with its empty line, a line with its newline', () => {
  const said = Buffer.from('data: a\n\n: ping\r\n\r\ndata: b\ndata: c\n\nda')
  const events = createSplitter('it', 'event')
  assert.deepEqual(events.push(said).map(String), ['data: a\n\n', ': ping\r\n\r\n', 'data: b\ndata: c\n\n'])
  assert.equal(events.rest().toString(), 'da')
  assert.deepEqual(createSplitter('it', 'line').push(Buffer.from('{}\n{"a":1}\r\n{')).map(String), ['{}\n', '{"a":1}\r\n'])
})

test('a piece that never ends is refused before it fills the memory', () => {
  const splitter = createSplitter('it', 'event')
  const megabyte = Buffer.alloc(2 ** 20, 97)
  assert.throws(() => {
    for (let sent = 0; sent < 10; sent += 1) splitter.push(megabyte)
  }, isFault('unavailable', 'upstream.malformed'))
})
