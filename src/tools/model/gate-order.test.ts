import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Settings } from '../../house/index.ts'
import { gateOrder } from './gate-order.ts'

const upstreams: Settings['models']['upstreams'] = [
  { name: 'ollama', kind: 'ollama', url: 'http://127.0.0.1', zone: 'machine' },
  { name: 'box', kind: 'ollama', url: 'http://10.0.0.2', zone: 'mesh' },
  { name: 'far', kind: 'openai', url: 'https://far.example', zone: 'cloud' },
  { name: 'web', kind: 'openai', url: 'https://web.example', zone: 'internet' },
]
const routes = (declared: Record<string, string[]>): Settings['models'] => ({
  upstreams,
  routes: Object.fromEntries(Object.entries(declared).map(([task, names]) => [task, names.map((upstream) => ({ upstream, model: 'auto' }))])),
})
const both = ['local', 'cloud'] as const

test('gates are asked in the order in which the route comes to their zones, each once', () => {
  assert.deepEqual(gateOrder('a', routes({ a: ['ollama', 'far'] }), both), ['local', 'cloud'])
  assert.deepEqual(gateOrder('a', routes({ a: ['far', 'ollama', 'far'] }), both), ['cloud', 'local'])
  assert.deepEqual(gateOrder('a', routes({ a: ['box', 'ollama'] }), both), ['local'])
  assert.deepEqual(gateOrder('a', routes({ a: ['far'] }), both), ['cloud'])
})

test('a task without a route of its own goes by the default one, and without either the near gate comes first', () => {
  assert.deepEqual(gateOrder('a', routes({ default: ['far', 'box'] }), both), ['cloud', 'local'])
  assert.deepEqual(gateOrder('a', routes({ b: ['far'] }), ['cloud', 'local']), ['local', 'cloud'])
  assert.deepEqual(gateOrder('toString', routes({ default: ['far'] }), both), ['cloud'])
})

test('a route that names nobody who is there is for the near gate to explain', () => {
  assert.deepEqual(gateOrder('a', routes({ a: ['gone'] }), both), ['local'])
  assert.deepEqual(gateOrder('a', routes({ a: ['web'] }), both), ['local'])
})

test('a worker without the far gate is never sent there', () => {
  for (const names of [['far'], ['far', 'ollama'], ['gone']]) assert.deepEqual(gateOrder('a', routes({ a: names }), ['local']), ['local'])
  assert.deepEqual(gateOrder('a', routes({}), ['local']), ['local'])
})
