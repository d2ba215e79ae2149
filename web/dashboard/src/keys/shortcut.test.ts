import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextRow, shortcutOf, type KeyPress } from './shortcut.ts'

const press = (key: string, more: Partial<KeyPress> = {}): KeyPress => ({ key, ctrlKey: false, metaKey: false, altKey: false, typing: false, ...more })
const usual = { awaiting: false, singleKeys: true }

test('g and a letter go to a page; the letter alone means what it always does', () => {
  assert.deepEqual(shortcutOf(press('g'), usual), { does: 'await' })
  assert.deepEqual(shortcutOf(press('j'), { ...usual, awaiting: true }), { does: 'go', path: '/jobs' })
  assert.deepEqual(shortcutOf(press('j'), usual), { does: 'next' })
  assert.deepEqual(shortcutOf(press('t'), { ...usual, awaiting: true }), { does: 'go', path: '/' })
  assert.equal(shortcutOf(press('t'), usual), undefined)
})

test('who types a text types a text', () => {
  for (const key of ['j', 'k', 'g', '?', 'Escape']) assert.equal(shortcutOf(press(key, { typing: true }), usual), undefined, key)
  assert.deepEqual(shortcutOf(press('k', { typing: true, ctrlKey: true }), usual), { does: 'palette' })
})

test('single keys can be switched off; the palette stays', () => {
  const off = { awaiting: false, singleKeys: false }
  for (const key of ['j', 'k', 'g', '?', 'Escape']) assert.equal(shortcutOf(press(key), off), undefined, key)
  assert.deepEqual(shortcutOf(press('K', { metaKey: true }), off), { does: 'palette' })
})

test('keys of the browser stay those of the browser', () => {
  assert.equal(shortcutOf(press('j', { ctrlKey: true }), usual), undefined)
  assert.equal(shortcutOf(press('g', { altKey: true }), usual), undefined)
})

test('the cursor starts at the near end and stops at both', () => {
  assert.deepEqual([nextRow(-1, 3, 1), nextRow(-1, 3, -1), nextRow(0, 3, 1), nextRow(2, 3, 1), nextRow(0, 3, -1), nextRow(-1, 0, 1)], [0, 2, 1, 2, 0, -1])
})
