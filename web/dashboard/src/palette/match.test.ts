import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matching } from './match.ts'

const entry = (name: string, about = '') => ({ id: name, name, about })
const entries = [entry('weekly-wrap', 'Writes what ran'), entry('house-check'), entry('House', 'Processes'), entry('morning-mail', 'Reads the mail')]
const names = (typed: string) => matching(entries, typed).map(({ name }) => name)

test('nothing typed shows everything in its order', () => {
  assert.deepEqual(names('  '), entries.map(({ name }) => name))
})

test('a name that begins with it comes before one that holds it, and that before one that only speaks of it', () => {
  assert.deepEqual(names('house'), ['house-check', 'House'])
  assert.deepEqual(names('w'), ['weekly-wrap'])
  assert.deepEqual(matching([entry('email'), entry('x', 'mail'), entry('morning-mail'), entry('mailbox')], 'mail').map(({ name }) => name), ['mailbox', 'morning-mail', 'email', 'x'])
})

test('every word must be there', () => {
  assert.deepEqual(names('mail reads'), ['morning-mail'])
  assert.deepEqual(names('mail wrap'), [])
})
