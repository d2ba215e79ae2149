import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Level } from './label.ts'
import { describeLabel, describeLevel, parseLevel } from './words.ts'

test('a level is shown with its word, and read with or without it', () => {
  for (const level of [0, 1, 2, 3] as Level[]) {
    assert.equal(parseLevel(describeLevel(level)), level)
    assert.equal(parseLevel(`p${level}`), level)
    assert.equal(parseLevel(describeLevel(level).slice(3).toUpperCase()), level)
  }
  assert.equal(describeLevel(3), 'P3 local only')
})

test('a word that is no level is refused with the levels there are', () => {
  assert.throws(() => parseLevel('P4'), { kind: 'invalid', message: /P0 public, P1 low, P2 internal, P3 local only/ })
})

test('a label names its lanes', () => {
  assert.equal(describeLabel({ level: 2, integrity: 'untrusted', lanes: ['private', 'work'] }), 'P2 internal, untrusted, lanes private + work')
  assert.equal(describeLabel({ level: 0, integrity: 'trusted', lanes: [] }), 'P0 public, trusted')
})
