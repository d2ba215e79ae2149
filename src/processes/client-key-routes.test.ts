import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, test } from 'node:test'
import { pino } from 'pino'
import { gateDatabase } from '../../test/support/gate.ts'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { createManualClock } from '../kernel/clock.ts'
import { openSpentNonces } from '../outbox/spent-nonces.ts'
import { bareApp } from '../server/bare-app.ts'
import { clientKeyRoutes } from './client-key-routes.ts'

const database = await gateDatabase(['near'])
const clock = createManualClock(new Date('2026-11-01T08:00:00Z'))
const app = bareApp(pino({ level: 'silent' }))
const spent = await openSpentNonces(temporaryFolder())
after(() => spent.close())
clientKeyRoutes(app, { database: database.as('castellan_releaser'), spent, clock })

const wanted = { name: 'notes', gate: 'local', lane: 'private', max_level: 2, models: ['near/*'], lasts: 90 * 86_400_000 }

interface Answer {
  readonly data: Record<string, unknown> & Record<string, unknown>[]
  readonly error: { readonly code: string; readonly message: string }
}

async function ask(method: 'GET' | 'POST', url: string, payload?: object) {
  const answer = await app.inject({ method, url, ...(payload && { payload }) })
  return { status: answer.statusCode, text: answer.body, ...answer.json<Answer>() }
}

test('a key that was made for a moment and is over is in no list', async () => {
  await ask('POST', '/client-keys', { ...wanted, name: 'moment', lasts: 30 * 60_000 })
  await ask('POST', '/client-keys/moment/revoke')
  assert.deepEqual((await ask('GET', '/client-keys')).data, [])
})

test('a key is told once; the database keeps its hash, the record who it is for, and the list what it is good for', async () => {
  const made = await ask('POST', '/client-keys', wanted)
  const { key, id, ...rest } = made.data
  assert.match(String(key), /^ck_[0-9a-f]{64}$/)
  assert.deepEqual([rest['expires_at'], rest['revoked_at'], rest['last_used_on'], rest['models']], ['2027-01-30T08:00:00.000Z', null, null, ['near/*']])
  const { rows } = await database.owner.pool.query<{ key_hash: Buffer }>('select key_hash from client_key where id = $1', [id])
  assert.deepEqual(rows[0]!.key_hash, createHash('sha256').update(String(key)).digest())
  const stored = await database.owner.pool.query<{ text: string }>(`select concat((select jsonb_agg(k) from client_key k), (select jsonb_agg(e) from audit_event e)) as text`)
  assert.ok(!stored.rows[0]!.text.includes(String(key)))
  const listed = await ask('GET', '/client-keys')
  assert.deepEqual(listed.data.map((one) => one['name']), ['notes'])
  assert.ok(!listed.text.includes('ck_') && !listed.text.includes('hash'))
})

test('the day of its last use is in the list, and nothing of what was asked can be read by who lists', async () => {
  const id = (await ask('GET', '/client-keys')).data[0]!['id']
  await database.owner.pool.query(
    `insert into model_call (id, key_id, gate, task, opened_at) values (gen_random_uuid(), $1, 'local', 'chat', '2026-11-03T23:59:00Z'), (gen_random_uuid(), $1, 'local', 'chat', '2026-11-02T00:00:00Z')`, [id])
  assert.equal((await ask('GET', '/client-keys')).data[0]!['last_used_on'], '2026-11-03')
  for (const column of ['model', 'task', 'reason', 'run_id']) await assert.rejects(database.as('castellan_releaser').pool.query(`select ${column} from model_call`), { code: '42501' }, column)
})

test('what is asked for wrongly is refused in words', async () => {
  const refused = async (change: object) => {
    const { status, error } = await ask('POST', '/client-keys', { ...wanted, name: 'other', ...change })
    return [status, error.code]
  }
  assert.deepEqual(await refused({ name: 'notes' }), [409, 'client_key.taken'])
  assert.deepEqual(await refused({ lane: 'nowhere' }), [404, 'lane.missing'])
  assert.deepEqual(await refused({ gate: 'cloud' }), [403, 'client_key.level'])
  for (const change of [{ name: 'No Name' }, { gate: 'moon' }, { max_level: 4 }, { lasts: 1 }, { lasts: Number.MAX_SAFE_INTEGER }, { models: [''] }]) assert.equal((await refused(change))[0], 400, JSON.stringify(change))
})

test('of two that ask for one name at once, one has it', async () => {
  const both = await Promise.all([1, 2].map(() => ask('POST', '/client-keys', { ...wanted, name: 'raced' })))
  assert.deepEqual(both.map(({ status }) => status).sort(), [200, 409])
})

test('a key is revoked once', async () => {
  assert.deepEqual((await ask('POST', '/client-keys/notes/revoke')).data, { name: 'notes', state: 'revoked' })
  const again = await ask('POST', '/client-keys/notes/revoke')
  assert.deepEqual([again.status, again.error.code], [404, 'client_key.missing'])
  const { rows } = await database.owner.pool.query<{ kind: string; actor: string }>(`select kind, actor from audit_event where kind like 'client_key.%' and detail ->> 'name' = 'notes' order by id`)
  assert.deepEqual(rows, [{ kind: 'client_key.made', actor: 'castellan_releaser' }, { kind: 'client_key.revoked', actor: 'castellan_releaser' }])
})
