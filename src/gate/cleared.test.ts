import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import OpenAI from 'openai'
import { clear, closedCallsOf, gateBoot, gateDatabase, openRun, startFrom } from '../../test/support/gate.ts'
import { startModelServer } from '../../test/support/model-server.ts'

after(async () => {
  await Promise.all([local.stop(), cloud.stop()])
  await Promise.all([near.close(), box.close(), far.close(), other.close()])
  await Promise.all([localBoot.remove(), cloudBoot.remove()])
})
const near = await startModelServer({ models: [{ name: 'near:latest' }] })
const box = await startModelServer({ models: [{ name: 'box:latest' }] })
const far = await startModelServer({ models: [{ name: 'far' }] })
const other = await startModelServer({ models: [{ name: 'other' }] })
const database = await gateDatabase(['near', 'box', 'far', 'other'])
const farUrl = `${far.url}/v1`
const models = {
  upstreams: [
    { name: 'near', kind: 'ollama', url: near.url, zone: 'machine' },
    { name: 'box', kind: 'ollama', url: box.url, zone: 'machine', own: true },
    { name: 'far', kind: 'openai', url: farUrl, zone: 'cloud' },
    { name: 'other', kind: 'openai', url: `${other.url}/v1`, zone: 'cloud' },
  ],
  routes: { reason: [{ upstream: 'other', model: 'other' }, { upstream: 'far', model: 'far' }, { upstream: 'near', model: 'auto' }] },
} as const
const cloudBoot = await gateBoot(database, 'gate-cloud', models)
const cloud = await startFrom(cloudBoot.boot)
const localBoot = await gateBoot(database, 'gate-local', models)
const local = await startFrom({ ...localBoot.boot, sockets: { ...localBoot.boot.sockets, gateCloud: cloud.socket } })

const secret = 'Ines Ferreira, DE89370400440532013000'
const ask = (key: string, model: string, { gate = local, headers = {} }: { gate?: { address: string }; headers?: Record<string, string> } = {}) =>
  new OpenAI({ baseURL: `${gate.address}/v1`, apiKey: key, maxRetries: 0 }).chat.completions.create({ model, messages: [{ role: 'user', content: secret }] }, { headers })
const refused = (error: unknown) => error instanceof OpenAI.APIError && error.status === 403 && error.code === 'label_refused'
const takeBack = () => database.as('castellan_releaser').pool.query(`select clearance_revoke('client', 'far')`)

test('P2 that an act clears reaches that provider word for word, and no other, whatever the route says', async () => {
  await clear(database.owner, 'client', 'far', farUrl)
  const { key, run } = await openRun(database, 'client', 2)
  await ask(key, 'task:reason')
  assert.ok(far.calls().at(-1)!.body.includes(secret))
  for (const model of ['other/other', 'other']) await assert.rejects(ask(key, model), (error) => error instanceof OpenAI.APIError, model)
  await assert.rejects(ask(key, 'other/other', { gate: cloud }), refused)
  assert.equal(other.bytes().length, 0)
  const rows = await closedCallsOf(database, run)
  assert.deepEqual(rows.filter(({ state }) => state === 'succeeded').map(({ gate, upstream, label_level }) => [gate, upstream, label_level]), [['local', 'far', 2], ['cloud', 'far', 2]])
})

test('when that provider fails the machine at home takes over, and no other provider', async () => {
  const { key } = await openRun(database, 'client', 2)
  far.next({ misbehaves: { kind: 'status', status: 500 } })
  assert.match((await ask(key, 'task:reason')).model, /^near/)
  assert.equal(other.bytes().length, 0)
})

test('P3, another lane, and P2 that the run itself does not carry go nowhere', async () => {
  const asked = far.calls().length
  for (const [lane, level, headers] of [['client', 3, {}], ['open', 2, {}], ['client', 2, { 'x-castellan-label': 'P3' }], ['client', 1, { 'x-castellan-label': 'P2' }]] as const) {
    const { key } = await openRun(database, lane, level)
    await assert.rejects(ask(key, 'far/far', { headers }), refused, `${lane} P${level}`)
  }
  assert.equal(far.calls().length, asked)
})

test('a provider whose address was changed in castellan.yaml is another one', async () => {
  const { key } = await openRun(database, 'client', 2)
  const moved = { ...models, upstreams: models.upstreams.map((one) => (one.name === 'far' ? { ...one, url: `${other.url}/v1` } : one)) }
  for (const gate of [local, cloud]) gate.reload(moved)
  for (const gate of [local, cloud]) await assert.rejects(ask(key, 'far/far', { gate }), refused)
  // gate local alone reads the file as it was: gate cloud looks by itself
  local.reload(models)
  await assert.rejects(ask(key, 'far/far'), (error) => error instanceof OpenAI.APIError)
  assert.equal(other.bytes().length, 0)
  cloud.reload(models)
  await ask(key, 'far/far')
})

test('an act that was taken back or is over counts from that moment, for keys that were looked up before too', async () => {
  const { key } = await openRun(database, 'client', 2)
  await ask(key, 'far/far')
  const asked = far.calls().length
  await takeBack()
  await assert.rejects(ask(key, 'far/far'), refused)
  await clear(database.owner, 'client', 'far', farUrl, new Date(Date.now() - 1))
  await assert.rejects(ask(key, 'far/far'), refused)
  assert.equal(far.calls().length, asked)
})

test('a machine that castellan.yaml alone calls the operator\'s own sees P2 at most; signed, P3, at that address and until it is taken back', async () => {
  const [internal, local3] = await Promise.all([openRun(database, 'private', 2), openRun(database, 'private', 3)])
  await ask(internal.key, 'box/box')
  const asked = box.calls().length
  const isRefused = async (why: string) => {
    await assert.rejects(ask(local3.key, 'box/box'), refused, why)
    assert.equal(box.calls().length, asked, why)
  }
  await isRefused('nobody signed it')
  await clear(database.owner, null, 'box', `${box.url}/elsewhere`)
  await isRefused('another address was signed')
  await clear(database.owner, 'private', 'box', box.url)
  await isRefused('P2 of a lane was signed')
  await clear(database.owner, null, 'box', box.url)
  await ask(local3.key, 'box/box')
  assert.equal(box.calls().length, asked + 1)
  await database.as('castellan_releaser').pool.query(`select clearance_revoke(null, 'box')`)
  await assert.rejects(ask(local3.key, 'box/box'), refused)
  assert.equal(box.calls().length, asked + 1)
})
