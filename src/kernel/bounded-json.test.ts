import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseBoundedJson } from './bounded-json.ts'

test('what JSON can say comes back as it was, brackets within texts included', () => {
  fc.assert(fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
    assert.deepEqual(parseBoundedJson(Buffer.from(JSON.stringify(value))), { value: JSON.parse(JSON.stringify(value)) })
  }))
  assert.deepEqual(parseBoundedJson(Buffer.from(JSON.stringify({ a: '['.repeat(500), b: '\\"{' }))), { value: { a: '['.repeat(500), b: '\\"{' } })
})

test('what is too deep, not UTF-8, or not JSON is nothing', () => {
  const nested = (depth: number) => Buffer.from('['.repeat(depth) + ']'.repeat(depth))
  assert.ok(parseBoundedJson(nested(64)))
  assert.equal(parseBoundedJson(nested(65)), undefined)
  assert.equal(parseBoundedJson(Buffer.from('{"a":'.repeat(100_000))), undefined)
  assert.equal(parseBoundedJson(Buffer.from([0x22, 0xff, 0x22])), undefined)
  assert.equal(parseBoundedJson(Buffer.from('{a:1}')), undefined)
  assert.equal(parseBoundedJson(Buffer.from('')), undefined)
})
