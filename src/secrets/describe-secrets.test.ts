import assert from 'node:assert/strict'
import type { Stats } from 'node:fs'
import { test } from 'node:test'
import { describeSecrets } from './describe-secrets.ts'

const now = new Date('2026-11-28T08:00:00Z')
const file = (mtime = now) => ({ isFile: () => true, mode: 0o100600, mtime }) as Stats

test('what the system keeps for units is not missing, and comes before what the home has of that name', () => {
  const states = describeSecrets({
    sources: [], users: new Map([['releaser', ['here', 'there', 'both', 'nowhere']]]), files: new Map([['here', file()], ['both', file()]]), unfinished: [], recordOf: () => undefined,
    storedAt: (name) => (['there', 'both'].includes(name) ? `/etc/credstore/castellan.${name}` : undefined),
  }, now)
  assert.deepEqual(states.map(({ name, state, stored }) => [name, state, stored]), [
    ['both', 'good', '/etc/credstore/castellan.both'], ['here', 'good', null], ['nowhere', 'missing', null], ['there', 'stored', '/etc/credstore/castellan.there'],
  ])
})

test('a key that has to stay the same is never due', () => {
  const states = describeSecrets({
    sources: [], users: new Map([['releaser', ['key', 'word']]]), files: new Map(['key', 'word'].map((name) => [name, file(new Date(0))])), unfinished: [], recordOf: () => undefined, lasting: ['key'],
  }, now)
  assert.deepEqual(states.map(({ name, state }) => [name, state]), [['key', 'good'], ['word', 'due']])
})
