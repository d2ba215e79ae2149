import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pairs, table } from './table.ts'
import { terminalOf } from './terminal.ts'

const screen = { write: () => {} }
const plain = terminalOf(screen, {})
const narrow = terminalOf({ ...screen, isTTY: true, columns: 50 }, { NO_COLOR: '1' })

test('off a terminal a row is one line, however long', () => {
  const drawn = table(plain, ['A', 'B'], [['one', 'two\nlines'], ['three', 'x'.repeat(300)]])
  assert.equal(drawn, `A      B\none    two lines\nthree  ${'x'.repeat(300)}`)
})

test('on a terminal what is too wide wraps, and an address is never cut in half', () => {
  const drawn = table(narrow, ['TO', 'WHY'], [['levke@nordlicht-baeckerei.example', 'because it was so long that it did not fit']])
  assert.ok(drawn.split('\n').every((line) => line.length <= 50), drawn)
  assert.match(drawn, /levke@nordlicht-baeckerei\.example/)
  assert.deepEqual(drawn.split('\n').slice(1).map((line) => line.slice(35).trim()).join(' '), 'because it was so long that it did not fit')
})

test('wide characters take two cells, so that columns stay in line', () => {
  const [, first, second] = table(narrow, ['A', 'B'], [['世界', 'x'], ['four', 'y']]).split('\n')
  assert.deepEqual([first, second], ['世界  x', 'four  y'])
})

test('values of several lines stay in their column', () => {
  assert.equal(pairs(plain, [['to', 'a\nb'], ['subject', 'c']]), 'to       a\n         b\nsubject  c')
})
