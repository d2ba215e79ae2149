import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { gateDatabase } from '../../test/support/gate.ts'
import { join, PUBLIC_TRUSTED, type Level } from '../labels/index.ts'
import { createCallLedger } from './call-ledger.ts'
import { findSession, hashOfKey, type Session } from './session.ts'

const database = await gateDatabase(['ollama'])
const gates = { local: database.as('castellan_gate_local'), cloud: database.as('castellan_gate_cloud') }
const releaser = database.as('castellan_releaser').pool
const ledgerOf = (gate: 'local' | 'cloud') => createCallLedger({ database: gates[gate], gate, retentionMs: () => 86_400_000 })
const candidates = { local: { upstream: 'ollama', model: 'm', zone: 'machine' }, cloud: { upstream: 'far', model: 'm', zone: 'cloud' } } as const

async function clientOf(gate: 'local' | 'cloud', { lane = 'open', max = 1 } = {}): Promise<{ name: string; session: Session }> {
  const name = `k${randomUUID()}`
  const hash = hashOfKey(name)
  await releaser.query(`select client_key_make($1, $2, $3, $4, $5, $6::smallint, '{}', null)`, [randomUUID(), name, hash, gate, lane, max])
  return { name, session: (await findSession(gates[gate], hash))! }
}

/** As a gate would whose own checks are gone. */
async function open(gate: 'local' | 'cloud', session: Session, level: Level): Promise<string> {
  const label = join(session.label, { ...PUBLIC_TRUSTED, level })
  return (await ledgerOf(gate).open({ session, label, task: 'chat', candidate: candidates[gate], inputTokens: 1, outputTokens: undefined })).outcome
}

test('the statement that opens a call knows the level of the key: what is above it is not opened', async () => {
  const local = await clientOf('local', { lane: 'private', max: 2 })
  assert.deepEqual([await open('local', local.session, 2), await open('local', local.session, 3)], ['opened', 'moved'])
  const low = await clientOf('cloud', { max: 0 })
  assert.deepEqual([await open('cloud', low.session, 0), await open('cloud', low.session, 1)], ['opened', 'moved'])
})

test('a gate that is shown a key of the other one opens nothing, whatever label it claims', async () => {
  const { session } = await clientOf('local', { lane: 'open', max: 2 })
  assert.equal(session.label.level, 2)
  assert.equal(await findSession(gates.cloud, session.keyHash), undefined)
  assert.equal(await open('cloud', session, 2), 'moved')
  const lowered: Session = { ...session, label: { ...session.label, level: 1 } }
  assert.equal(await open('cloud', lowered, 1), 'moved')
})

test('a key that is revoked between the plan and the row opens nothing, nor one whose time is over', async () => {
  const { name, session } = await clientOf('local')
  assert.equal(await open('local', session, 1), 'opened')
  await releaser.query('select client_key_revoke($1)', [name])
  assert.equal(await open('local', session, 1), 'moved')
  const over = await clientOf('local')
  await database.owner.pool.query(`update client_key set expires_at = clock_timestamp() where id = $1`, [over.session.id])
  assert.equal(await open('local', over.session, 1), 'moved')
})

test('row security holds a key to its levels, its lane and its gate, whatever statement its gate sends', async () => {
  const { session, name } = await clientOf('local', { lane: 'private', max: 2 })
  const insert = (gate: 'local' | 'cloud', level: number, lane: string, state = 'open') => gates[gate].pool.query(
    `insert into model_call (id, key_id, gate, task, state, label_level, label_integrity, label_lanes) values (gen_random_uuid(), $1, $2, 'chat', $3, $4, 'untrusted', $5)`, [session.id, gate, state, level, [lane]])
  await insert('local', 2, 'private')
  await insert('local', 3, 'private', 'refused')
  for (const [gate, level, lane] of [['local', 3, 'private'], ['local', 1, 'private'], ['local', 0, 'private'], ['local', 2, 'open'], ['cloud', 1, 'open']] as const) {
    await assert.rejects(insert(gate, level, lane), { code: '42501' }, `${gate} P${level} ${lane}`)
  }
  await releaser.query('select client_key_revoke($1)', [name])
  await assert.rejects(insert('local', 2, 'private'), { code: '42501' })
})

test('a call says in the ledger which batch it was made for, also one that was refused', async () => {
  const { session } = await clientOf('local')
  const batch = randomUUID()
  const ledger = ledgerOf('local')
  const candidate = { upstream: 'near', model: 'm', zone: 'machine' } as const
  await ledger.open({ session: { ...session, batch }, label: session.label, task: 'chat', candidate, inputTokens: 1, outputTokens: 1 })
  await ledger.refuse({ session: { ...session, batch }, label: session.label, task: 'chat', model: 'm', reason: 'limit_reached', set: [] })
  const { rows } = await database.owner.pool.query('select state from model_call where batch_id = $1 order by state', [batch])
  assert.deepEqual(rows.map(({ state }) => state), ['open', 'refused'])
})

test('a row of the ledger is of a run or of a key, never of both or of nobody', async () => {
  const { session } = await clientOf('local')
  const insert = (columns: Record<string, string>) =>
    database.owner.pool.query(`insert into model_call (id, gate, task${Object.keys(columns).map((name) => `, ${name}`).join('')}) values (gen_random_uuid(), 'local', 'chat'${Object.values(columns).map((value) => `, '${value}'`).join('')})`)
  await insert({ key_id: session.id })
  for (const columns of [{}, { session_id: randomUUID() }, { key_id: session.id, session_id: randomUUID() }, { key_id: session.id, run_id: randomUUID() }]) {
    await assert.rejects(insert(columns), { constraint: 'model_call_of_one' }, JSON.stringify(columns))
  }
})
