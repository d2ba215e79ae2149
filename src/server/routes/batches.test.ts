import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { makeKey } from '../../../test/support/batches.ts'
import { testServer } from '../../../test/support/server.ts'
import { newId } from '../../kernel/ids.ts'
import type { BatchView } from '../api.ts'

async function houseWithBatch(t: TestContext, state = 'in_progress') {
  const server = await testServer(t)
  const { pool } = server.database.owner
  await pool.query(`insert into lane (name, worker, cloud_clearance, providers) values ('private', 'private', -1, '{near}') on conflict do nothing`)
  const key = await makeKey(server.database)
  const [id, file] = [newId(), newId()]
  await pool.query(
    `insert into batch (id, key_id, key_hash, gate, input_file_id, endpoint, state, total, answered, failed, opened_at, window_ends_at, closed_at, metadata, label_level, label_integrity, label_lanes)
     values ($1, $2, (select key_hash from client_key where id = $2), 'local', $3, '/v1/embeddings', $4, 9, 4, 1, '2026-03-01T22:00:00Z', '2026-03-02T22:00:00Z', case when $4 = 'completed' then now() end, '{"a": "secret"}', 2, 'untrusted', '{private}')`, [id, key.id, file, state])
  const call = (cost: number | null, of: string | null) => pool.query(`insert into model_call (id, key_id, gate, task, state, cost_eur, batch_id) values ($1, $2, 'local', 't', 'succeeded', $3, $4)`, [newId(), key.id, cost, of])
  await call(0.25, id)
  await call(0.5, id)
  await call(7, null)
  return { server, pool, key, id, name: `batch_${id.replaceAll('-', '')}`, call }
}

test('a batch is listed with its key, how far it is and what its calls have cost, and with nothing of what it asks', async (t) => {
  const { server, key, id, name, call } = await houseWithBatch(t)
  const { data } = await server.get<BatchView[]>('/api/batches')
  assert.deepEqual(data, [{
    id: name, state: 'in_progress', key: key.name, gate: 'local', endpoint: '/v1/embeddings', task: null, total: 9, answered: 4, failed: 1, calls: 2, cost_eur: 0.75,
    opened_at: '2026-03-01T22:00:00.000Z', window_ends_at: '2026-03-02T22:00:00.000Z', closed_at: null, label: { level: 2, integrity: 'untrusted', lanes: ['private'], word: 'P2 internal' },
  }])
  await call(null, id)
  assert.equal((await server.get<BatchView[]>('/api/batches?limit=1')).data[0]!.cost_eur, null)
})

test('the operator cancels it by its id or a part of it, which is recorded; one that has ended stays so', async (t) => {
  const { server, pool, id, name } = await houseWithBatch(t)
  for (const given of [name, id, id.slice(-6)]) {
    const { status, data } = await server.post(`/api/batches/${given}/cancel`)
    assert.deepEqual([status, data], [200, { id: name, state: 'cancelling' }], given)
  }
  const { rows } = await pool.query('select state, cancelling_at is not null as told from batch')
  assert.deepEqual(rows, [{ state: 'cancelling', told: true }])
  assert.deepEqual((await server.requests()).map(({ subject, detail }) => [subject, detail['request']]), Array.from({ length: 3 }, () => [id, 'batch.cancel']))
  for (const given of ['batch_ffffffff', 'zz', '%25%25%25%25', 'abc']) assert.deepEqual([(await server.post(`/api/batches/${given}/cancel`)).error.code], ['batch.missing'], given)
})

test('a batch that has ended is not cancelled', async (t) => {
  const { server, name } = await houseWithBatch(t, 'completed')
  const { status, error } = await server.post(`/api/batches/${name}/cancel`)
  assert.deepEqual([status, error.code], [409, 'batch.closed'])
})
