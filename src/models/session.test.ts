import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { gateDatabase, openRun, raise } from '../../test/support/gate.ts'
import { findSession, hashOfKey, rememberSessions } from './session.ts'

const database = await gateDatabase(['ollama'])
const gate = database.as('castellan_gate_local')

test('a session is remembered for two seconds, and asked for again by who must know', async () => {
  let now = 0
  const sessions = rememberSessions(gate, () => now)
  const { key, run } = await openRun(database, 'open', 1)
  const level = async (how?: { freshly: boolean }) => (await sessions.find(hashOfKey(key), how))?.label.level
  assert.equal(await level(), 1)
  await raise(database.owner, run, 2)
  now = 1_999
  assert.equal(await level(), 1)
  now = 2_000
  assert.equal(await level(), 2)
  await raise(database.owner, run, 3)
  assert.deepEqual([await level(), await level({ freshly: true }), await level()], [2, 3, 3])
})

test('what opens nothing is not remembered, and what has ended is forgotten when that is known', async () => {
  const sessions = rememberSessions(gate, () => 0)
  const { key, run } = await openRun(database, 'open', 1)
  assert.equal(await sessions.find(hashOfKey(`cst_${'0'.repeat(64)}`)), undefined)
  assert.ok(await sessions.find(hashOfKey(key)))
  await database.as('castellan_worker_open').pool.query(`select run_claim($1, 'other', 1000)`, [run])
  assert.equal(await sessions.find(hashOfKey(key), { freshly: true }), undefined)
  assert.equal(await sessions.find(hashOfKey(key)), undefined)
})

test('a key is never taken for one that is over while the fence around it comes and goes', async () => {
  const { keyHash } = await clientKey()
  let isOver = false
  const comesAndGoes = (async () => {
    for (let times = 0; times < 150; times += 1) {
      await database.owner.pool.query('update releaser_state set fence_id = gen_random_uuid(), fenced_at = clock_timestamp(), fence_reason = $1', ['the copy is old'])
      await database.owner.pool.query('update releaser_state set fence_id = null, fenced_at = null, fence_reason = null')
    }
    isOver = true
  })()
  const found = new Set<string>()
  while (!isOver) found.add(await findSession(gate, keyHash).then((session) => (session ? 'opens' : 'unknown'), (error: { code: string }) => error.code))
  await comesAndGoes
  assert.deepEqual([...found].sort(), ['opens', 'outbox.fenced'])
})

async function clientKey(): Promise<{ keyHash: Buffer }> {
  const keyHash = hashOfKey(`ck_${randomBytes(32).toString('hex')}`)
  await database.as('castellan_releaser').pool.query('select client_key_make($1, $2, $3, $4, $5, $6, $7, $8)', [randomUUID(), `client-${randomBytes(4).toString('hex')}`, keyHash, 'local', 'private', 2, [], null])
  return { keyHash }
}
