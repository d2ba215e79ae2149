import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commandOf, keyTable, type Where } from './keymap.ts'

const page: Where = { letters: true, focus: 'page' }
const press = (key: string, where = page, modifiers = {}) => commandOf({ key, ctrlKey: false, metaKey: false, altKey: false, repeat: false, ...modifiers }, where)

test('each key of the overlay does something', () => {
  const keys = keyTable.flatMap(([keys]) => keys).map((key) => ({ '↓': 'ArrowDown', '↑': 'ArrowUp', Esc: 'Escape' })[key] ?? key)
  assert.deepEqual(keys.filter((key) => press(key) === undefined), [])
})

test('approving one and approving the selected are different keys', () => {
  assert.equal(press('a'), 'approve')
  assert.equal(press('A'), 'approve-selected')
  assert.equal(press('p'), 'approve-by-passkey')
})

test('whoever types into a field decides nothing', () => {
  assert.equal(press('a', { ...page, focus: 'field' }), undefined)
  assert.equal(press('Escape', { ...page, focus: 'field' }), undefined)
})

test('with letters switched off, only arrows, Enter and Escape are left', () => {
  const off = { ...page, letters: false }
  assert.deepEqual(['a', 'A', 'r', 'j', '?', 'x'].map((key) => press(key, off)), Array.from({ length: 6 }, () => undefined))
  assert.deepEqual(['ArrowDown', 'ArrowUp', 'Enter', 'Escape'].map((key) => press(key, off)), ['next', 'previous', 'open', 'back'])
})

test('with Ctrl, Alt or ⌘ a key belongs to the browser', () => {
  for (const modifier of ['ctrlKey', 'metaKey', 'altKey']) assert.equal(press('a', page, { [modifier]: true }), undefined)
})

test('a key held down moves on and decides only once', () => {
  assert.equal(press('j', page, { repeat: true }), 'next')
  for (const key of ['a', 'A', 'x', 'r', 'u', 'Enter']) assert.equal(press(key, page, { repeat: true }), undefined)
})

test('Enter on a button presses the button', () => {
  assert.equal(press('Enter', { ...page, focus: 'control' }), undefined)
  assert.equal(press('a', { ...page, focus: 'control' }), 'approve')
})
