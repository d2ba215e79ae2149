import assert from 'node:assert/strict'
import { test } from 'node:test'
import { houseFolder } from '../../test/support/house-folder.ts'
import { explainKey } from './explain-key.ts'

const yaml = 'name: House\noutbox:\n  hold: 20s\nlanes:\n  work: { worker: open, cloud_clearance: P1 }\nports: { server: 8000 }\n'

test('a key is explained by its value, its place and its meaning', (t) => {
  const folder = houseFolder(t, { 'castellan.yaml': yaml })
  assert.deepEqual(explainKey(folder, 'outbox.hold', {}), {
    key: 'outbox.hold', value: '20s', source: 'castellan.yaml:3', default: '10s', description: 'How long a signed draft can still be undone.',
  })
  assert.deepEqual(explainKey(folder, 'outbox.expiry.mail', {}), { key: 'outbox.expiry.mail', value: '72h', source: 'default', default: '72h', description: 'For mail.' })
  assert.equal(explainKey(folder, 'lanes.work.worker', {}).source, 'castellan.yaml:5')
  assert.deepEqual(explainKey(folder, 'retention', {}).value, { run_log: '90d', runs: '400d', mail: '400d', model_calls: '400d', webhooks: '90d', sources: '90d', batches: '30d', alerts: '400d', outbox: '3650d' })
  assert.equal(explainKey(folder, 'models.upstreams.ollama.url', {}).value, 'http://127.0.0.1:11434')
})

test('a port tells whether the command line, the environment or the file decided', (t) => {
  const folder = houseFolder(t, { 'castellan.yaml': yaml })
  const sources = (key: string, overrides: Parameters<typeof explainKey>[2]) => [explainKey(folder, key, overrides).value, explainKey(folder, key, overrides).source]
  const env = { CASTELLAN_PORT_SERVER: '9000' }
  assert.deepEqual(sources('ports.server', { env, ports: { server: 9001 } }), [9001, 'command line'])
  assert.deepEqual(sources('ports.server', { env }), [9000, 'environment: CASTELLAN_PORT_SERVER'])
  assert.deepEqual(sources('ports.server', {}), [8000, 'castellan.yaml:6'])
  assert.deepEqual(sources('ports.releaser', {}), [7401, 'default'])
})

test('a key that does not exist is refused with the one that was probably meant', (t) => {
  const folder = houseFolder(t)
  assert.throws(() => explainKey(folder, 'outbox.hodl'), { kind: 'missing', code: 'house.key', message: /no key outbox\.hodl: did you mean hold\?/ })
  assert.throws(() => explainKey(folder, 'constructor'), { kind: 'missing' })
})

test('of an entry that is declared, the kind that it is of says what a key means and what is usual', (t) => {
  const folder = houseFolder(t, {
    'castellan.yaml': 'outbox:\n  connectors:\n    file: { path: out }\n    news: { kind: mastodon, instance: "https://social.example", account: house, token: { secret: news } }\n    letters: { kind: listmonk, limits: { hour: 1 } }\n',
  })
  const told = (key: string) => (({ value, default: standard, description }) => [value, standard, description])(explainKey(folder, `outbox.connectors.${key}`, {}))
  assert.deepEqual(told('news.account'), ['house', undefined, 'With `kind: mastodon`: the name of the account, without @. A token of another account posts nothing.'])
  assert.deepEqual(told('news.limits.hour'), [10, 10, 'With `kind: mastodon`, as with others: at most so many in any hour.'])
  assert.deepEqual([told('letters.limits.hour').slice(0, 2), told('letters.limits.day').slice(0, 2)], [[1, 2], [5, 5]])
  assert.deepEqual(told('file.from').slice(0, 2), ['operator@localhost', 'operator@localhost'])
  assert.equal(told('file.limits.hour')[0], undefined)
})
