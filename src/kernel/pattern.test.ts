import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { processorTime } from '../../test/support/processor-time.ts'
import { matches } from './pattern.ts'

test('a star stands for any characters, and letters match without regard to case', () => {
  assert.ok(matches('*@praxis.example', 'Termine@PRAXIS.example'))
  assert.ok(matches('*confidential*', 'Re: CONFIDENTIAL offer'))
  assert.ok(matches('a*b*c', 'a--b-b--c') && matches('*', '') && matches('', ''))
  assert.ok(!matches('*@praxis.example', 'x@praxis.example.evil.example') && !matches('a.c', 'abc') && !matches('a', 'ab'))
})

test('a pattern agrees with the regular expression that it stands for', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '*', '.'), maxLength: 12 })
  fc.assert(fc.property(text, text, (pattern, given) => {
    const expected = new RegExp(`^${pattern.split('*').map((part) => part.replaceAll('.', '\\.')).join('[^]*')}$`).test(given)
    assert.equal(matches(pattern, given), expected)
  }), { numRuns: 2000 })
})

test('a hostile text does not make a pattern slow', () => {
  assert.ok(processorTime(() => assert.equal(matches('*a*a*a*a*a*b', 'a'.repeat(10_000)), false)) < 1_000)
})
