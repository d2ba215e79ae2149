import assert from 'node:assert/strict'
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import OpenAI from 'openai'
import { allClosed, gateDatabase, startGate } from '../../test/support/gate.ts'
import { startModelServer } from '../../test/support/model-server.ts'

after(async () => {
  await Promise.all([local.stop(), cloud.stop()])
  await Promise.all([near.close(), far.close()])
})
const near = await startModelServer({ models: [{ name: 'near:latest' }, { name: 'other:latest' }] })
const far = await startModelServer({ models: [{ name: 'far' }] })
const database = await gateDatabase(['near', 'far'])
const models = {
  upstreams: [
    { name: 'near', kind: 'ollama', url: near.url, zone: 'machine' },
    { name: 'far', kind: 'openai', url: `${far.url}/v1`, zone: 'cloud' },
  ],
  routes: { default: [{ upstream: 'near', model: 'auto' }, { upstream: 'far', model: 'far' }] },
} as const
const local = await startGate(database, 'gate-local', models)
const cloud = await startGate(database, 'gate-cloud', models)
const releaser = database.as('castellan_releaser').pool

interface Wanted {
  readonly gate?: 'local' | 'cloud'
  readonly lane?: string
  readonly max?: number
  readonly models?: readonly string[]
  readonly expires?: Date | null
}
const make = 'select client_key_make($1, $2, $3, $4, $5, $6::smallint, $7, $8)'

async function makeKey({ gate = 'local', lane = 'private', max = 2, models: only = [], expires = null }: Wanted = {}) {
  const [id, name, key] = [randomUUID(), `client-${randomBytes(4).toString('hex')}`, `ck_${randomBytes(32).toString('hex')}`]
  await releaser.query(make, [id, name, createHash('sha256').update(key).digest(), gate, lane, max, only, expires])
  return { id, name, key }
}

const clientOf = (gate: { address: string }, key: string, headers: Record<string, string> = {}) => new OpenAI({ baseURL: `${gate.address}/v1`, apiKey: key, maxRetries: 0, defaultHeaders: headers })
const asking = (model = 'auto') => ({ model, messages: [{ role: 'user' as const, content: 'Hello' }] })
const refusal = (status: number, code: string) => (error: unknown) => error instanceof OpenAI.APIError && error.status === status && error.code === code
const callsBy = async (id: string) => (await allClosed(database), await database.owner.pool.query('select gate, upstream, state, label_level, label_lanes, session_id, run_id from model_call where key_id = $1 order by opened_at', [id])).rows

test('a program with a key asks models, and the ledger says which key it was', async () => {
  const { id, key } = await makeKey()
  near.next({ text: ['Good morning'] })
  assert.equal((await clientOf(local, key).chat.completions.create(asking())).choices[0]?.message.content, 'Good morning')
  assert.deepEqual((await clientOf(local, key).models.list()).data.map((model) => model.id), ['auto', 'near/near:latest', 'near/other:latest'])
  assert.deepEqual(await callsBy(id), [{ gate: 'local', upstream: 'near', state: 'succeeded', label_level: 2, label_lanes: ['private'], session_id: null, run_id: null }])
  const { rows } = await database.owner.pool.query(`select detail ->> 'key' as key from audit_event where kind = 'call.closed' and detail ->> 'key' = $1`, [id])
  assert.equal(rows.length, 1)
})

test('a key is taken from the header that each vendor’s client sends it in, and from no address', async () => {
  const { key } = await makeKey()
  const ask = async (headers: Record<string, string>, query = '') => {
    const answer = await fetch(`${local.address}/v1/models${query}`, { headers })
    const { error } = (await answer.json()) as { error?: { code: string; details?: { reason: string }[] } }
    // Google's clients are told it as the reason
    return [answer.status, error?.details?.[0]?.reason ?? error?.code]
  }
  for (const headers of [{ authorization: `Bearer ${key}` }, { authorization: `bearer ${key}` }, { 'x-api-key': key }, { 'x-goog-api-key': key }]) assert.deepEqual(await ask(headers), [200, undefined])
  for (const headers of [{}, { authorization: key }, { authorization: `Basic ${key}` }, { 'x-api-key': key.toUpperCase() }]) assert.deepEqual(await ask(headers), [401, 'session_unknown'])
  assert.deepEqual(await ask({}, `?key=${key}`), [401, 'key_in_address'])
  assert.deepEqual(await ask({ 'x-goog-api-key': key }, '?key=nothing'), [401, 'key_in_address'])
})

test('a header raises the label of a call, up to what the key is good for, and never lowers it', async () => {
  const { id, name, key } = await makeKey({ max: 2 })
  await assert.rejects(clientOf(local, key, { 'x-castellan-label': 'P3' }).chat.completions.create(asking()), (error) => refusal(403, 'label_refused')(error) && (error as Error).message.includes(`key ${name} is good up to P2 internal`))
  await clientOf(local, key, { 'x-castellan-label': 'P0' }).chat.completions.create(asking())
  const high = await makeKey({ max: 3 })
  await clientOf(local, high.key, { 'x-castellan-label': 'P3' }).chat.completions.create(asking())
  const rows = [...(await callsBy(id)), ...(await callsBy(high.id))]
  assert.deepEqual(rows.map((row) => [row.state, row.label_level, row.upstream]), [['refused', 3, null], ['succeeded', 2, 'near'], ['succeeded', 3, 'near']])
})

test('a key of gate cloud carries P1, and one of gate local is nothing there', async () => {
  const asked = far.calls().length
  const { id, key } = await makeKey({ gate: 'cloud', lane: 'open', max: 1 })
  await clientOf(cloud, key).chat.completions.create(asking('far/far'))
  assert.deepEqual((await callsBy(id)).map((row) => [row.gate, row.label_level]), [['cloud', 1]])
  await assert.rejects(clientOf(local, key).chat.completions.create(asking()), refusal(401, 'session_unknown'))
  await assert.rejects(clientOf(cloud, (await makeKey()).key).chat.completions.create(asking('far/far')), refusal(401, 'session_unknown'))
  await assert.rejects(clientOf(cloud, key, { 'x-castellan-label': 'P2' }).chat.completions.create(asking('far/far')), refusal(403, 'label_refused'))
  assert.equal(far.calls().length, asked + 1)
})

test('no key is made that would show a cloud model more than its lane allows', async () => {
  for (const [lane, max] of [['private', 0], ['open', 2], ['client', 3]] as const) await assert.rejects(makeKey({ gate: 'cloud', lane, max }), { code: 'CA400' }, `${lane} P${max}`)
  await assert.rejects(makeKey({ lane: 'nowhere' }), { code: 'CA400' })
})

test('what a lane loses its keys lose at once', async (t) => {
  const { key } = await makeKey({ gate: 'cloud', lane: 'open', max: 1 })
  t.after(() => database.owner.pool.query(`update lane set cloud_clearance = 1 where name = 'open'`))
  await database.owner.pool.query(`update lane set cloud_clearance = 0 where name = 'open'`)
  await assert.rejects(clientOf(cloud, key).chat.completions.create(asking('far/far')), refusal(403, 'label_refused'))
})

test('a key may be for some models only', async () => {
  const { key } = await makeKey({ models: ['near/oth*'] })
  assert.deepEqual((await clientOf(local, key).models.list()).data.map((model) => model.id), ['auto', 'near/other:latest'])
  await clientOf(local, key).chat.completions.create(asking('other'))
  await assert.rejects(clientOf(local, key).chat.completions.create(asking('near/near:latest')), refusal(404, 'model_not_found'))
})

test('a key that was revoked or is over opens nothing from that moment, and its name is free again', async () => {
  const { name, key } = await makeKey()
  await clientOf(local, key).models.list()
  assert.equal((await releaser.query('select client_key_revoke($1) is not null as done', [name])).rows[0].done, true)
  await assert.rejects(clientOf(local, key).models.list(), refusal(401, 'session_unknown'))
  assert.equal((await releaser.query('select client_key_revoke($1) is not null as done', [name])).rows[0].done, false)
  await releaser.query(make, [randomUUID(), name, randomBytes(32), 'local', 'private', 1, [], null])
  await assert.rejects(releaser.query(make, [randomUUID(), name, randomBytes(32), 'local', 'private', 1, [], null]), { code: 'CA409' })
  const over = await makeKey({ expires: new Date(Date.now() - 1_000) })
  await assert.rejects(clientOf(local, over.key).models.list(), refusal(401, 'session_unknown'))
  await releaser.query(make, [randomUUID(), over.name, randomBytes(32), 'local', 'private', 1, [], null])
  await assert.rejects(clientOf(local, over.key).models.list(), refusal(401, 'session_unknown'), 'the one that is over stays over')
  await assert.rejects(releaser.query(make, [randomUUID(), over.name, randomBytes(32), 'local', 'private', 1, [], null]), { code: 'CA409' })
})

test('a client is not handed on to a cloud model, whatever its lane redacts', async (t) => {
  t.after(() => database.owner.pool.query('update lane set redacts = false'))
  await database.owner.pool.query('update lane set redacts = true')
  const asked = far.calls().length
  const { key } = await makeKey({ lane: 'open', max: 2 })
  await assert.rejects(clientOf(local, key).chat.completions.create(asking('far/far')))
  assert.equal(far.calls().length, asked)
})

test('only the releaser makes and revokes keys, and nobody reads or writes the table of their hashes', async () => {
  const denied = { code: '42501' }
  for (const role of ['castellan_server', 'castellan_worker_open', 'castellan_worker_private', 'castellan_gate_local', 'castellan_gate_cloud'] as const) {
    const { pool } = database.as(role)
    await assert.rejects(pool.query(make, [randomUUID(), 'mine', randomBytes(32), 'local', 'private', 1, [], null]), denied, role)
    await assert.rejects(pool.query(`select client_key_revoke('x')`), denied, role)
    await assert.rejects(pool.query('select session_of_run($1)', [randomBytes(32)]), denied, role)
  }
  for (const role of ['castellan_server', 'castellan_releaser', 'castellan_gate_local', 'castellan_gate_cloud', 'castellan_worker_open', 'castellan_worker_private'] as const) {
    const { pool } = database.as(role)
    await assert.rejects(pool.query('select key_hash from client_key'), denied, role)
    await assert.rejects(pool.query('update client_key set max_level = 3'), denied, role)
    await assert.rejects(pool.query('delete from client_key'), denied, role)
  }
})
