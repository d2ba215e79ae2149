import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { chatLine, clientOf, endOf, jsonl, linesOf, makeKey, sendBatch, sendFile } from '../../../test/support/batches.ts'
import { gateDatabase, startGate } from '../../../test/support/gate.ts'
import { startModelServer } from '../../../test/support/model-server.ts'

after(async () => {
  await Promise.all([local.stop(), cloud.stop()])
  await server.close()
})
const server = await startModelServer({ models: [{ name: 'm' }] })
const database = await gateDatabase(['near', 'far'])
const models = {
  upstreams: [{ name: 'near', kind: 'ollama', url: server.url, zone: 'machine' }, { name: 'far', kind: 'openai', url: `${server.url}/v1`, zone: 'cloud' }],
  routes: { default: [{ upstream: 'near', model: 'm' }, { upstream: 'far', model: 'm' }] },
} as const
const local = await startGate(database, 'gate-local', models)
const cloud = await startGate(database, 'gate-cloud', models)
const [nearKey, farKey] = [await makeKey(database, { gate: 'local' }), await makeKey(database, { gate: 'cloud' })]
const gates = { local: database.as('castellan_gate_local').pool, cloud: database.as('castellan_gate_cloud').pool }
const tables = ['batch', 'batch_file', 'batch_file_line', 'batch_line'] as const
const refused = { code: '42501' }

test('two gates on one database work on their own batches at the same time, and see nothing of each other’s', async () => {
  const [near, far] = [clientOf(local, nearKey), clientOf(cloud, farKey)]
  const batches = await Promise.all([near, far].map((client) => sendBatch(client, Array.from({ length: 20 }, (_, place) => chatLine(`line ${place}`)))))
  const done = await Promise.all([endOf(near, batches[0]!.id), endOf(far, batches[1]!.id)])
  assert.deepEqual(done.map(({ status, request_counts }) => [status, request_counts?.completed]), [['completed', 20], ['completed', 20]])
  const { rows } = await database.owner.pool.query('select gate, count(*)::int as calls from model_call where batch_id is not null group by gate order by gate')
  assert.deepEqual(rows, [{ gate: 'cloud', calls: 20 }, { gate: 'local', calls: 20 }])
  for (const gate of ['local', 'cloud'] as const) {
    for (const table of tables) assert.deepEqual((await gates[gate].query(`select distinct gate from ${table}`)).rows, [{ gate }], `${gate} ${table}`)
  }
})

test('what a lane no longer shows to cloud models, gate cloud no longer sees', async (t) => {
  t.after(() => database.owner.pool.query(`update lane set cloud_clearance = 1 where name = 'open'`))
  const client = clientOf(cloud, farKey)
  const file = await sendFile(client, [chatLine('x')])
  await database.owner.pool.query(`update lane set cloud_clearance = 0 where name = 'open'`)
  for (const table of tables) assert.equal((await gates.cloud.query(`select 1 from ${table}`)).rowCount, 0, table)
  await assert.rejects(client.files.content(file.id), { status: 404 })
  await assert.rejects(sendFile(client, [chatLine('x')]), { status: 403, code: 'label_refused' })
  assert.ok((await gates.local.query('select 1 from batch')).rowCount! > 0)
})

test('row security holds files and batches to their key, their gate and their label, whatever statement a gate sends', async () => {
  const file = (gate: 'local' | 'cloud', key: string, of: string, level: number, lanes: string[]) => gates[gate].query(
    `insert into batch_file (id, key_id, gate, holds, name, made_at, label_level, label_integrity, label_lanes) values ($1, $2, $3, 'input', 'x', now(), $4, 'untrusted', $5)`, [randomUUID(), key, of, level, lanes])
  await file('local', nearKey.id, 'local', 2, ['private'])
  await file('cloud', farKey.id, 'cloud', 1, ['open'])
  for (const given of [
    ['local', nearKey.id, 'cloud', 2, ['private']], ['local', nearKey.id, 'local', 3, ['private']], ['local', nearKey.id, 'local', 1, ['private']], ['local', nearKey.id, 'local', 2, []],
    ['local', farKey.id, 'local', 1, ['open']], ['cloud', farKey.id, 'cloud', 2, ['open']], ['cloud', nearKey.id, 'cloud', 1, ['private']],
  ] as const) await assert.rejects(file(given[0], given[1], given[2], given[3], [...given[4]]), refused, given.join())

  const { rows: [batch] } = await gates.local.query<{ id: string; input: string }>(`select id, input_file_id as input from batch limit 1`)
  const line = (level: number, lanes: string[]) => gates.local.query(`insert into batch_line (batch_id, number, gate, custom_id, model, label_level, label_lanes) values ($1, $2, 'local', 'x', 'm', $3, $4)`, [batch!.id, 1_000 + level, level, lanes])
  await line(3, ['private'])
  for (const given of [[1, ['private']], [2, []]] as const) await assert.rejects(line(given[0], [...given[1]]), refused, 'a line below its batch')
  const fileLine = (level: number) => gates.local.query(`insert into batch_file_line (file_id, number, gate, body, label_level, label_lanes) values ($1, $2, 'local', 'x', $3, '{private}')`, [batch!.input, 1_000 + level, level])
  await fileLine(2)
  await assert.rejects(fileLine(1), refused, 'a line below its file')
  const other = await makeKey(database)
  const hashOf = async (key: string) => (await database.owner.pool.query<{ key_hash: Buffer }>('select key_hash from client_key where id = $1', [key])).rows[0]!.key_hash
  const batchOf = async (key: string, level: number, hash?: Buffer) => gates.local.query(
    `insert into batch (id, key_id, key_hash, gate, input_file_id, endpoint, opened_at, window_ends_at, label_level, label_integrity, label_lanes) values ($1, $2, $5, 'local', $3, '/v1/messages', now(), now(), $4, 'untrusted', '{private}')`,
    [randomUUID(), key, batch!.input, level, hash ?? await hashOf(key)])
  await batchOf(nearKey.id, 2)
  await assert.rejects(batchOf(other.id, 2), refused, 'of the file of another key')
  await assert.rejects(batchOf(nearKey.id, 1), refused, 'below its file')
  const foreign = { code: '23503' }
  await assert.rejects(batchOf(nearKey.id, 2, await hashOf(other.id)), foreign, 'a row that says one key and is opened by another')
  await assert.rejects(batchOf(nearKey.id, 2, Buffer.alloc(32)), foreign, 'a row that no key opens')
  await assert.rejects(database.owner.pool.query('update batch set key_hash = $2 where id = $1', [batch!.id, await hashOf(other.id)]), foreign, 'not even the owner')
})

test('no role changes a label, a key, or what was asked; others than the gates see no content at all', async () => {
  for (const gate of ['local', 'cloud'] as const) {
    for (const act of [
      ...tables.map((table) => `update ${table} set label_level = 0`), ...tables.map((table) => `update ${table} set gate = 'local'`),
      'update batch set key_id = null', `update batch set key_hash = sha256('x')`, 'update batch set window_ends_at = now()', 'update batch set input_file_id = null', `update batch set retain_until = 'infinity'`,
      'update batch_file_line set body = null', `update batch_line set custom_id = 'x'`, 'delete from batch', 'delete from batch_line', 'delete from batch_file_line', 'select batch_cancel(null)',
    ]) await assert.rejects(gates[gate].query(act), refused, `${gate}: ${act}`)
  }
  for (const role of ['castellan_server', 'castellan_releaser', 'castellan_worker_open', 'castellan_worker_private'] as const) {
    const { pool } = database.as(role)
    for (const act of ['select * from batch', 'select key_hash from batch', 'select metadata from batch', 'select * from batch_file', 'select * from batch_file_line', 'select * from batch_line', `update batch set state = 'cancelling'`, 'delete from batch_file']) {
      await assert.rejects(pool.query(act), refused, `${role}: ${act}`)
    }
  }
})

test('what has ended once stays so', async () => {
  const client = clientOf(local, nearKey)
  const batch = await endOf(client, (await sendBatch(client, [chatLine('x')])).id)
  const { rows } = await database.owner.pool.query<{ id: string }>(`select id from batch where 'batch_' || replace(id::text, '-', '') = $1`, [batch.id])
  const { id } = rows[0]!
  const closed = { code: 'CA003' }
  await assert.rejects(gates.local.query(`update batch set state = 'in_progress', closed_at = null where id = $1`, [id]), closed)
  await assert.rejects(gates.local.query('update batch set answered = 5 where id = $1', [id]), closed)
  await assert.rejects(gates.local.query(`update batch_line set state = 'waiting' where batch_id = $1`, [id]), closed)
  await assert.rejects(gates.local.query(`update batch_line set answer = 'another' where batch_id = $1`, [id]), closed)
  assert.equal((await linesOf(client, batch.output_file_id)).length, 1)
})

test('a form that is none, has no file, or is for something else leaves nothing behind', async () => {
  const count = async () => (await database.owner.pool.query('select count(*)::int as files from batch_file')).rows[0].files as number
  const before = await count()
  const post = async (body: FormData | string | Buffer, type?: string) => {
    const answer = await fetch(`${local.address}/v1/files`, { method: 'POST', headers: { authorization: `Bearer ${nearKey.key}`, ...(type && { 'content-type': type }) }, body: body as never })
    return [answer.status, ((await answer.json()) as { error: { code: string } }).error.code]
  }
  const form = (...fields: [string, string | Blob][]) => {
    const data = new FormData()
    for (const [name, value] of fields) data.append(name, value as string)
    return data
  }
  const file = new Blob([jsonl([chatLine('x')])])
  assert.deepEqual(await post(form(['purpose', 'batch'])), [400, 'request.invalid'])
  assert.deepEqual(await post(form(['file', file])), [400, 'request.invalid'])
  assert.deepEqual(await post(form(['purpose', 'fine-tune'], ['file', file])), [400, 'request.invalid'])
  assert.deepEqual(await post(form(['purpose', 'batch'], ['file', file], ['file', file])), [400, 'request.invalid'])
  assert.deepEqual(await post(form(['purpose', 'batch'], ['image', file])), [400, 'request.invalid'])
  assert.deepEqual(await post('{}', 'application/json'), [415, 'request.media_type'])
  assert.deepEqual(await post('', 'application/json'), [400, 'request.invalid'])
  assert.deepEqual(await post('nothing', 'multipart/form-data'), [400, 'request.invalid'])
  assert.deepEqual(await post('--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nhalf', 'multipart/form-data; boundary=x'), [400, 'request.invalid'])
  assert.deepEqual(await post(form(['purpose', 'batch'], ['file', new Blob([Buffer.alloc(9 * 1024 * 1024, 'x')])])), [413, 'request.too_large'])
  assert.deepEqual(await post(form(['purpose', 'batch'], ['file', new Blob(['\n'.repeat(60_000)])])), [413, 'request.too_large'])
  assert.deepEqual(await post(form(['purpose', 'batch'], ['file', new Blob([Buffer.alloc(101 * 1024 * 1024, '\n')])])), [413, 'request.too_large'])
  assert.equal(await count(), before)
  // other routes take as much as before
  const large = await fetch(`${local.address}/v1/chat/completions`, { method: 'POST', headers: { authorization: `Bearer ${nearKey.key}`, 'content-type': 'application/json' }, body: `"${'x'.repeat(9 * 1024 * 1024)}"` })
  assert.equal(large.status, 413)
})
