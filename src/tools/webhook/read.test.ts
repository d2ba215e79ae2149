import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { testDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { declareJobs } from '../../../test/support/jobs.ts'
import { declareWebhooks, webhook } from '../../../test/support/webhooks.ts'
import { newId } from '../../kernel/ids.ts'
import { join, PUBLIC_TRUSTED, type Label, type Level } from '../../labels/index.ts'
import { createEvents } from './events.ts'

async function house(t: TestContext) {
  const database = await testDatabase(t)
  await declareJobs(database.owner, [])
  await declareWebhooks(database, [webhook('hub', 'github'), webhook('low', 'github', { label: { level: 1, integrity: 'untrusted', lanes: ['open'] } }), webhook('secret', 'github', { label: { level: 3, integrity: 'untrusted', lanes: ['private'] } })])
  return database
}

async function store(database: TestDatabase, source: string, body: string): Promise<string> {
  const id = newId()
  const key = createHash('sha256').update(id).digest()
  await database.as('castellan_listener').pool.query(`select inbound_store($1, $2, 'evt', 'push', array[$3::bytea], null, $4, '2026-11-20T08:00:00Z')`, [id, source, key, Buffer.from(body)])
  return id
}

function as(database: TestDatabase, worker: 'open' | 'private', readsUpTo: Level = 2) {
  let label: Label = PUBLIC_TRUSTED
  const events = createEvents({ database: database.as(`castellan_worker_${worker}`), run: { readsUpTo }, raise: (more) => (label = join(label, more)) })
  return { read: (id: string) => events.read(id), label: () => label }
}

test('an event is what was sent, and whoever reads it has its label from then on', async (t) => {
  const database = await house(t)
  const id = await store(database, 'hub', '{"ref":"main","__proto__":{"a":1}}')
  const run = as(database, 'private')
  const { payload, receivedAt, ...rest } = await run.read(id)
  assert.deepEqual(rest, { id, webhook: 'hub', eventId: 'evt', type: 'push' })
  assert.deepEqual([JSON.stringify(payload), receivedAt.toISOString()], ['{"ref":"main","__proto__":{"a":1}}', '2026-11-20T08:00:00.000Z'])
  assert.deepEqual(run.label(), { level: 2, integrity: 'untrusted', lanes: ['private'] })
})

test('what a worker, a level or a lane may not see is not there, and raises nothing', async (t) => {
  const database = await house(t)
  const [hub, low, secret] = [await store(database, 'hub', '1'), await store(database, 'low', '2'), await store(database, 'secret', '3')]
  const open = as(database, 'open', 3)
  for (const id of [hub, secret, newId()]) await assert.rejects(open.read(id), { kind: 'missing', code: 'webhook.missing' })
  assert.deepEqual(open.label(), PUBLIC_TRUSTED)
  assert.equal((await open.read(low)).payload, 2)
  assert.deepEqual(open.label(), { level: 1, integrity: 'untrusted', lanes: ['open'] })
  await assert.rejects(as(database, 'private', 2).read(secret), { code: 'webhook.missing' })
  assert.equal((await as(database, 'private', 3).read(secret)).payload, 3)
})

test('bytes that are no JSON are an error of the step', async (t) => {
  const database = await house(t)
  const id = await store(database, 'hub', '[[')
  await assert.rejects(as(database, 'private').read(id), { kind: 'invalid', code: 'webhook.unreadable' })
})
