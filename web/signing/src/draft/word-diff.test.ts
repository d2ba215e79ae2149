import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { diffWords, type Change } from './word-diff.ts'

const told = (changes: readonly Change[]) => changes.map(({ kind, text }) => (kind === 'same' ? text : kind === 'gone' ? `[-${text}-]` : `{+${text}+}`)).join('')

test('one word that was changed is one word of the diff', () => {
  assert.equal(told(diffWords('Thursday at 14:00 is fine.\n', 'Thursday at 15:00 is fine.\n')), 'Thursday at [-14-]{+15+}:00 is fine.\n')
})

test('a phrase that was rewritten is shown as a phrase, not as a patchwork', () => {
  assert.equal(told(diffWords('We will come on Monday.', 'We can meet on Monday.')), 'We [-will come-]{+can meet+} on Monday.')
})

test('the same text has one stretch, an empty one none', () => {
  assert.deepEqual(diffWords('a b', 'a b'), [{ kind: 'same', text: 'a b' }])
  assert.deepEqual(diffWords('', ''), [])
})

test('texts too long for words are compared by lines', () => {
  const lines = Array.from({ length: 1500 }, (_, index) => `line ${index} of it\n`)
  const changes = diffWords(`first one\n${lines.join('')}last one\n`, `first two\n${lines.join('')}last two\n`)
  assert.equal(told(changes), `[-first one\n-]{+first two\n+}${lines.join('')}[-last one\n-]{+last two\n+}`)
})

test('texts too long even for that are shown as the one and the other', () => {
  const before = 'a\n'.repeat(3000)
  const after = 'b\n'.repeat(3000)
  assert.deepEqual(diffWords(before, after), [{ kind: 'gone', text: before }, { kind: 'new', text: after }])
})

test('without what went it is the new text, without what came the old one', () => {
  const text = fc.array(fc.constantFrom('a', 'b', ' ', '\n', 'ä', '.', 'word')).map((parts) => parts.join(''))
  fc.assert(fc.property(text, text, (before, after) => {
    const changes = diffWords(before, after)
    const without = (kind: Change['kind']) => changes.filter((change) => change.kind !== kind).map((change) => change.text).join('')
    assert.equal(without('gone'), after)
    assert.equal(without('new'), before)
  }))
})
