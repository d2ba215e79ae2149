import assert from 'node:assert/strict'
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import OpenAI from 'openai'
import { pino } from 'pino'
import type { House } from '../src/house/index.ts'
import { proposeClearance } from '../src/outbox/clearances/propose-clearance.ts'
import { openConnector } from '../src/outbox/connectors/connectors.ts'
import { readDraftDetail } from '../src/outbox/draft-detail.ts'
import { findFence } from '../src/outbox/fence/fence.ts'
import { proposeResume } from '../src/outbox/fence/resume.ts'
import { readOrders } from '../src/outbox/orders/list-orders.ts'
import { recoverDrafts } from '../src/outbox/recover-drafts.ts'
import { releaseDrafts } from '../src/outbox/release-drafts.ts'
import { clearanceRoutes } from '../src/processes/clearance-routes.ts'
import { clientKeyRoutes } from '../src/processes/client-key-routes.ts'
import { orderRoutes } from '../src/processes/order-routes.ts'
import { bareApp } from '../src/server/bare-app.ts'
import { declareLanes, gateBoot, openRun, startFrom, type OpenedRun } from './support/gate.ts'
import { startModelServer } from './support/model-server.ts'
import { standingOrder } from './support/orders.ts'
import { snapshot, testOutbox, type TestOutbox } from './support/outbox.ts'
import { botToken, startTelegramApi } from './support/telegram-api.ts'

const secret = 'The offer to Ferreira is EUR 48,000.'

/** Two gates and the releaser's parts on one database: a provider is cleared for a lane, a machine is the operator's own, a program has a key, an order stands. */
async function house(t: TestContext) {
  const [far, box] = await Promise.all([startModelServer({ models: [{ name: 'far' }] }), startModelServer({ models: [{ name: 'box:latest' }] })])
  const gates: { stop(): Promise<void> }[] = []
  // before the database goes
  t.after(async () => {
    await Promise.all(gates.map((gate) => gate.stop()))
    await Promise.all([far.close(), box.close(), cloudBoot.remove(), localBoot.remove()])
  })
  const api = await startTelegramApi(t, 4711)
  const connector = { name: 'me', kind: 'telegram', chat: '4711', token: { secret: 'bot' }, api: api.url, private: true } as const
  const outbox = await testOutbox(t, {
    connectors: () => [openConnector(connector, { secrets: { bot: botToken }, folder: '/nowhere', entranceOf: () => { throw new Error('there is no mailbox') } })], settings: { connectors: [connector] },
  })
  const { database } = outbox
  await declareLanes(database.owner, ['far', 'box'])
  const upstreams = [{ name: 'box', kind: 'ollama', url: box.url, zone: 'machine', own: true }, { name: 'far', kind: 'openai', url: `${far.url}/v1`, zone: 'cloud' }] as const
  const [cloudBoot, localBoot] = [await gateBoot(database, 'gate-cloud', { upstreams }), await gateBoot(database, 'gate-local', { upstreams })]
  const cloud = await startFrom(cloudBoot.boot)
  const local = await startFrom({ ...localBoot.boot, sockets: { ...localBoot.boot.sockets, gateCloud: cloud.socket } })
  gates.push(local, cloud)

  const declared = {
    settings: { models: { upstreams, routes: {} }, mail: { accounts: [] }, folders: [] }, jobs: [], labelRules: [],
    lanes: [{ name: 'client', worker: 'open', cloudClearance: 1, providers: ['far', 'box'] }, { name: 'private', worker: 'private', cloudClearance: -1, providers: ['far', 'box'] }],
  } as unknown as House
  const sign = async (draft: string) => {
    assert.equal((await outbox.approve(draft)).outcome, 'decided')
    outbox.clock.advance(outbox.settings.holdMs)
    await releaseDrafts(outbox.deps)
    return outbox.draft(draft)
  }
  for (const lane of ['client', undefined]) {
    const { draft } = await proposeClearance(outbox.deps, declared, { lane, upstream: lane === undefined ? 'box' : 'far', expiresAt: null })
    assert.equal((await sign(draft)).state, 'released')
  }
  const key = `ck_${randomBytes(32).toString('hex')}`
  const keyId = randomUUID()
  await database.as('castellan_releaser').pool.query(`select client_key_make($1, 'editor', $2, 'cloud', 'open', 1::smallint, '{}', null)`, [keyId, createHash('sha256').update(key).digest()])
  await standingOrder(outbox, { name: 'to-me', kind: 'telegram.message', connector: 'me', per_day: 3, expires_at: null })

  const post = async (url: string, payload: object = {}) => {
    // the file of spent nonces is opened anew at each start
    const app = bareApp(pino({ level: 'silent' }))
    clearanceRoutes(app, { outbox: outbox.deps, house: () => declared, onChange: () => {} })
    clientKeyRoutes(app, outbox.deps)
    orderRoutes(app, { outbox: outbox.deps, onChange: () => {} })
    const answer = await app.inject({ method: 'POST', url, payload })
    await app.close()
    return answer
  }
  const ask = (opened: string, model: string, gate = local) =>
    new OpenAI({ baseURL: `${gate.address}/v1`, apiKey: opened, maxRetries: 0 }).chat.completions.create({ model, messages: [{ role: 'user', content: secret }] })
  const [client, local3] = await Promise.all([openRun(database, 'client', 2), openRun(database, 'private', 3)])
  const code = (asked: Promise<unknown>) => asked.then(() => 'answered', (error: unknown) => (error instanceof OpenAI.APIError ? error.code : Promise.reject(error as Error)))
  const reached = async () => ({
    far: await code(ask(client.key, 'far/far')), farDirectly: await code(ask(client.key, 'far/far', cloud)), box: await code(ask(local3.key, 'box/box')), key: await code(ask(key, 'far/far', cloud)),
  })
  return { outbox, far, box, client, local3, keyId, key, post, sign, reached }
}

const all = { far: 'answered', farDirectly: 'answered', box: 'answered', key: 'answered' }
const fenced = { far: 'label_refused', farDirectly: 'label_refused', box: 'label_refused', key: 'outbox.fenced' }

/** What a gate that forgot to look would do: open the call in the ledger, without which no byte leaves. */
async function openLedgerRows({ outbox: { database }, client, local3, keyId }: Awaited<ReturnType<typeof house>>) {
  const sessionOf = async ({ run }: OpenedRun) => (await database.owner.pool.query<{ id: string }>('select id from session where run_id = $1', [run])).rows[0]!.id
  const row = `insert into model_call (id, session_id, run_id, key_id, gate, task, upstream, model, zone, label_level, label_integrity, label_lanes) values (gen_random_uuid(), $1, $2, $3, $4, 't', $5, 'm', $6, $7, 'untrusted', $8)`
  const [clientSession, localSession] = [await sessionOf(client), await sessionOf(local3)]
  return [
    () => database.as('castellan_gate_cloud').pool.query(row, [clientSession, client.run, null, 'cloud', 'far', 'cloud', 2, ['client']]),
    () => database.as('castellan_gate_local').pool.query(row, [localSession, local3.run, null, 'local', 'box', 'mesh', 3, ['private']]),
    () => database.as('castellan_gate_cloud').pool.query(row, [null, null, keyId, 'cloud', 'far', 'cloud', 1, ['open']]),
  ]
}

/** A copy is put back while PostgreSQL stands, which then starts anew. */
async function copyOf(outbox: TestOutbox): Promise<() => Promise<void>> {
  const restore = await snapshot(outbox)
  return async () => (await restore(), void (await outbox.database.owner.pool.query(`update releaser_state set compared_for = compared_for - interval '1 day'`)))
}

test('what was taken back after a copy was made reaches nobody after the copy came back; what was not, once the operator has signed that it counts again', async (t) => {
  const home = await house(t)
  const { outbox, far, box, post, reached, sign } = home
  const restore = await copyOf(outbox)
  assert.deepEqual(await reached(), all)
  for (const attempt of await openLedgerRows(home)) await assert.doesNotReject(attempt)
  assert.equal((await post('/clearances/revoke', { lane: 'client', upstream: 'far' })).statusCode, 200)
  assert.equal((await reached()).far, 'label_refused')

  await restore()
  const [askedFar, askedBox] = [far.calls().length, box.calls().length]
  assert.deepEqual(await reached(), { ...fenced, key: 'gate.not_compared' }, 'before the releaser has looked')
  for (const attempt of await openLedgerRows(home)) await assert.rejects(attempt, { code: '42501' })

  await recoverDrafts(await outbox.reopenSpent())
  assert.match((await findFence(outbox.deps.database.pool))!.why, /it does not know that a clearance, key or order was taken back/)
  assert.deepEqual(await reached(), fenced)
  for (const attempt of await openLedgerRows(home)) await assert.rejects(attempt, { code: '42501' })
  assert.deepEqual([far.calls().length, box.calls().length], [askedFar, askedBox], 'no byte left')
  assert.equal((await post('/client-keys', { name: 'another', gate: 'local', lane: 'private', max_level: 2, models: [], lasts: null })).json().error.code, 'outbox.fenced')
  const said = await outbox.freeze({ text: 'hello' }, { kind: 'telegram.message', connector: 'me' })
  assert.equal(said.state, 'waiting')
  assert.match(said.reason!, /the order to-me approves nothing until .* castellan outbox resume/)
  assert.deepEqual((await readOrders(outbox.deps)).map(({ state }) => state), ['fenced'])

  const { draft } = await proposeResume(outbox.deps)
  const { text } = await readDraftDetail(outbox.deps.database.pool, draft, outbox.clock.now())
  for (const words of ['box at http', 'as a machine of your own, up to P3', 'castellan model disown box', 'key editor of a program, for gate cloud, lane open, up to P1', 'castellan key revoke editor', 'order to-me, telegram.message by me, 3 a day', 'castellan order revoke to-me']) assert(text!.includes(words), text!)
  assert(!text!.includes('castellan lane unclear'), 'the file knows that this one was taken back')
  assert.deepEqual(await reached(), fenced, 'a draft is no signature')
  assert.equal((await sign(draft)).state, 'released')
  assert.deepEqual(await reached(), { ...all, far: 'label_refused', farDirectly: 'label_refused' })
})

test('a key and an order that were taken back raise the fence too, and stay taken back; one that is taken back in front of the list is not in force again', async (t) => {
  const { outbox, post, reached, sign } = await house(t)
  const restore = await copyOf(outbox)
  assert.equal((await post('/client-keys/editor/revoke')).statusCode, 200)
  assert.equal((await post('/orders/revoke', { name: 'to-me' })).statusCode, 200)
  await restore()
  await recoverDrafts(await outbox.reopenSpent())
  assert.match((await findFence(outbox.deps.database.pool))!.why, /it does not know that 2 clearances, keys or orders were taken back/)
  assert.deepEqual((await readOrders(outbox.deps)).map(({ state }) => state), ['revoked'])
  assert.equal((await post('/clearances/revoke', { lane: null, upstream: 'box' })).statusCode, 200)
  const { draft } = await proposeResume(outbox.deps)
  assert.equal((await sign(draft)).state, 'released')
  assert.deepEqual(await reached(), { ...all, box: 'label_refused', key: 'session_unknown' })
})

test('no word of the operator lets more count again than it says', async (t) => {
  const { outbox, sign } = await house(t)
  await outbox.database.as('castellan_releaser').pool.query('select outbox_fence(gen_random_uuid(), $1, $2)', [outbox.clock.now(), 'the copy is old'])
  const { draft } = await proposeResume(outbox.deps)
  await outbox.database.owner.pool.query(`insert into clearance (id, lane, upstream, url, level) values (gen_random_uuid(), 'client', 'box', 'https://elsewhere.example', 2)`)
  const { state, reason } = await sign(draft)
  assert.equal(state, 'failed')
  assert.match(reason!, /more would count again than draft/)
  assert(await findFence(outbox.deps.database.pool))
})

test('a releaser that stopped between taking back and writing it down fences nothing, and writes it down at its next start', async (t) => {
  const { outbox } = await house(t)
  const restore = await copyOf(outbox)
  const { pool } = outbox.database.as('castellan_releaser')
  await pool.query(`select clearance_revoke('client', 'far'), client_key_revoke('editor'), order_revoke('to-me', $1)`, [outbox.clock.now()])
  await recoverDrafts(await outbox.reopenSpent())
  await recoverDrafts(await outbox.reopenSpent())
  assert.equal(await findFence(pool), undefined)
  assert.equal(outbox.deps.spent.since(0).filter(({ act }) => act === 'revoked').length, 3)
  await restore()
  await recoverDrafts(await outbox.reopenSpent())
  assert.match((await findFence(pool))!.why, /3 clearances, keys or orders/)
  assert.deepEqual((await pool.query('select acts_in_force($1) as acts', [outbox.clock.now()])).rows[0].acts.keys, [])
})
