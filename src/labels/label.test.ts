import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { covers, fromRow, join, PUBLIC_TRUSTED, toRow, UNLABELLED, type Label } from './label.ts'
import { arbitraryLabel } from './labels.arbitrary.ts'

test('join is commutative, associative and idempotent, and a public trusted label changes nothing', () => {
  fc.assert(fc.property(arbitraryLabel, arbitraryLabel, arbitraryLabel, (a, b, c) => {
    assert.deepEqual(join(a, b), join(b, a))
    assert.deepEqual(join(join(a, b), c), join(a, join(b, c)))
    assert.deepEqual(join(a, a), a)
    assert.deepEqual(join(a, PUBLIC_TRUSTED), a)
    assert.deepEqual(join(a, b, c), join(join(a, b), c))
  }))
})

test('a join covers each of its parts, and is the least label that does', () => {
  fc.assert(fc.property(arbitraryLabel, arbitraryLabel, arbitraryLabel, (a, b, other) => {
    const joined = join(a, b)
    assert.ok(covers(joined, a) && covers(joined, b))
    if (covers(other, a) && covers(other, b)) assert.ok(covers(other, joined))
  }))
})

test('the maximum level, the word untrusted and every lane survive a join', () => {
  const a: Label = { level: 1, integrity: 'trusted', lanes: ['work'] }
  const b: Label = { level: 2, integrity: 'untrusted', lanes: ['private', 'work'] }
  assert.deepEqual(join(a, b), { level: 2, integrity: 'untrusted', lanes: ['private', 'work'] })
  assert.deepEqual(join(), PUBLIC_TRUSTED)
})

test('a label is the same after its trip through a row', () => {
  fc.assert(fc.property(arbitraryLabel, (label) => assert.deepEqual(fromRow(toRow(label)), label)))
})

test('a row with values that no label has is taken for the worst', () => {
  assert.deepEqual(fromRow({ label_level: 7, label_integrity: 'verified', label_lanes: ['b', 'a', 'b'] }), { level: 3, integrity: 'untrusted', lanes: ['a', 'b'] })
  assert.deepEqual(fromRow({ label_level: -1, label_integrity: '', label_lanes: [] }), UNLABELLED)
})

test('P2 that names no lane joins as the lane of the house', () => {
  const unlaned: Label = { level: 2, integrity: 'trusted', lanes: [] }
  assert.deepEqual(join(unlaned, { ...PUBLIC_TRUSTED, lanes: ['contract'] }).lanes, ['contract', 'house'])
  assert.deepEqual(join(unlaned, PUBLIC_TRUSTED).lanes, ['house'])
})
