import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cutText } from './cut-text.ts'

test('a text is cut to so many units, and never within a character', () => {
  assert.deepEqual([cutText('a😀b', 2), cutText('a😀b', 3), cutText('a😀b', 9), cutText('', 1)], ['a', 'a😀', 'a😀b', ''])
  fc.assert(fc.property(fc.string({ unit: 'binary' }), fc.nat({ max: 40 }), (text, most) => {
    const cut = cutText(text, most)
    assert(cut.isWellFormed() && text.startsWith(cut) && cut.length <= most && cut.length >= Math.min(text.length, most - 1))
  }))
})
