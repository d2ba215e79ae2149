import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import OpenAI from 'openai'
import { chatLine, clientOf, endOf, jsonl, linesOf, makeKey, sendBatch, sendFile } from '../../../test/support/batches.ts'
import { allClosed, gateDatabase, openRun, startGate } from '../../../test/support/gate.ts'
import { startModelServer, type LoggedRequest } from '../../../test/support/model-server.ts'

after(async () => {
  await Promise.all([local.stop(), cloud.stop()])
  await Promise.all([near.close(), far.close()])
})
const near = await startModelServer({ models: [{ name: 'near:latest' }, { name: 'nomic-embed-text:latest', family: 'nomic-bert' }] })
const far = await startModelServer({ models: [{ name: 'far' }] })
const database = await gateDatabase(['near', 'far', 'claude'])
const models = {
  upstreams: [
    { name: 'near', kind: 'ollama', url: near.url, zone: 'machine' },
    { name: 'far', kind: 'openai', url: `${far.url}/v1`, zone: 'cloud' },
    { name: 'claude', kind: 'anthropic', url: `${far.url}/v1`, zone: 'cloud' },
  ],
  routes: { default: [{ upstream: 'near', model: 'near:latest' }, { upstream: 'far', model: 'far' }] },
} as const
const local = await startGate(database, 'gate-local', models)
const cloud = await startGate(database, 'gate-cloud', models)

/** Says again what it was asked. */
const echo = ({ json }: LoggedRequest) => ({ text: [String((json!['messages'] as { content: unknown }[] | undefined)?.at(-1)!.content)], usage: { input: 5, output: 2 } })
near.answer(echo)
far.answer(echo)

const saidBy = (body: Record<string, unknown>) => (body as unknown as OpenAI.ChatCompletion).choices[0]?.message.content
const refusal = (status: number, code: string) => (error: unknown) => error instanceof OpenAI.APIError && error.status === status && error.code === code

for (const [gate, address, upstream] of [['local', local, 'near/near:latest'], ['cloud', cloud, 'far']] as const) {
  test(`the client of OpenAI sends a batch to gate ${gate}, and fetches its answers by their ids`, async () => {
    const made = await makeKey(database, { gate })
    const client = clientOf(address, made)
    const text = jsonl([chatLine('one'), chatLine('two')]) + JSON.stringify(chatLine('three'))
    const file = await sendFile(client, text)
    assert.deepEqual([file.object, file.purpose, file.filename, file.bytes, file.status], ['file', 'batch', 'work.jsonl', text.length, 'processed'])
    assert.deepEqual(await client.files.retrieve(file.id), file)
    assert.equal(await (await client.files.content(file.id)).text(), text)

    const batch = await client.batches.create({ input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h', metadata: { project: 'nightly' } })
    assert.deepEqual([batch.object, batch.status, batch.input_file_id, batch.endpoint, batch.completion_window, batch.metadata, batch.output_file_id, batch.expires_at! - batch.created_at],
      ['batch', 'validating', file.id, '/v1/chat/completions', '24h', { project: 'nightly' }, null, 86_400])
    const done = await endOf(client, batch.id)
    assert.deepEqual([done.status, done.request_counts, done.errors, done.error_file_id], ['completed', { total: 3, completed: 3, failed: 0 }, null, null])
    assert.ok(done.in_progress_at && done.finalizing_at && done.completed_at)
    const lines = await linesOf(client, done.output_file_id)
    assert.deepEqual(lines.map(({ custom_id, response, error }) => [custom_id, response?.status_code, saidBy(response!.body), error]),
      [['one', 200, 'one', null], ['two', 200, 'two', null], ['three', 200, 'three', null]])
    assert.equal(lines[0]!.response!.body['model'], upstream)
    assert.ok(lines.every(({ id, response }) => id.startsWith('batch_req_') && response!.request_id === id))
    const output = await client.files.retrieve(done.output_file_id!)
    assert.deepEqual([output.purpose, output.bytes], ['batch_output', (await (await client.files.content(output.id)).text()).length])

    assert.deepEqual((await client.batches.list()).data.map(({ id }) => id), [batch.id])
    assert.deepEqual((await client.files.list()).data.map(({ id }) => id).sort(), [file.id, output.id].sort())
    await allClosed(database)
    const { rows } = await database.owner.pool.query('select gate, state, label_level from model_call where key_id = $1 and batch_id is not null', [made.id])
    assert.deepEqual(rows, Array.from({ length: 3 }, () => ({ gate, state: 'succeeded', label_level: gate === 'cloud' ? 1 : 2 })))
    const { rows: audit } = await database.owner.pool.query(`select kind, detail ->> 'state' as state from audit_event where kind like 'batch.%' and detail ->> 'key' = $1 order by id`, [made.id])
    assert.deepEqual(audit, [{ kind: 'batch.opened', state: null }, { kind: 'batch.closed', state: 'completed' }])
  })
}

test('responses, embeddings and messages are asked on their own wires', async () => {
  const client = clientOf(local, await makeKey(database))
  const line = (id: string, url: string, body: object) => ({ custom_id: id, method: 'POST', url, body: { model: 'near:latest', ...body } })
  const answerTo = async (endpoint: string, body: object) => {
    const { output_file_id: output } = await endOf(client, (await sendBatch(client, [line('x', endpoint, body)], endpoint as '/v1/responses')).id)
    return (await linesOf(client, output))[0]?.response?.body
  }
  const response = (await answerTo('/v1/responses', { input: 'hello' })) as unknown as OpenAI.Responses.Response
  assert.deepEqual([response.object, response.status], ['response', 'completed'])
  const message = (await answerTo('/v1/messages', { max_tokens: 5, messages: [{ role: 'user', content: 'hello' }] })) as { type: string; content: { text: string }[] }
  assert.deepEqual([message.type, message.content[0]?.text], ['message', 'hello'])
  const vectors = (await answerTo('/v1/embeddings', { model: 'nomic-embed-text:latest', input: ['a', 'b'] })) as unknown as OpenAI.CreateEmbeddingResponse
  assert.deepEqual([vectors.object, vectors.data.length, Array.isArray(vectors.data[0]!.embedding)], ['list', 2, true])
})

test('on the same wire the answer is the upstream’s own', async () => {
  const client = clientOf(cloud, await makeKey(database, { gate: 'cloud' }))
  const batch = await endOf(client, (await sendBatch(client, [{ custom_id: 'x', method: 'POST', url: '/v1/messages', body: { model: 'claude/far', max_tokens: 5, messages: [{ role: 'user', content: 'hello' }] } }], '/v1/messages' as '/v1/responses')).id)
  const [line] = await linesOf(client, batch.output_file_id)
  assert.equal((line!.response!.body as { model: string }).model, 'far')
})

test('a line that fails is in the file of errors, with what its endpoint says, and the others go on', async () => {
  const client = clientOf(local, await makeKey(database))
  near.answer((request) => (JSON.stringify(request.json).includes('bad') ? { misbehaves: { kind: 'status', status: 400, message: 'no' } } : echo(request)))
  const batch = await endOf(client, (await sendBatch(client, [chatLine('good'), chatLine('bad'), chatLine('gone', 'gone', 'near/gone'), { ...chatLine('odd'), body: { model: 'auto', messages: [] } }])).id)
  near.answer(echo)
  assert.deepEqual([batch.status, batch.request_counts], ['completed', { total: 4, completed: 1, failed: 3 }])
  const errors = await linesOf(client, batch.error_file_id)
  assert.deepEqual(errors.map(({ custom_id, response }) => [custom_id, response!.status_code, (response!.body['error'] as { code: string }).code]),
    [['bad', 400, 'upstream.rejected'], ['gone', 404, 'model_not_found'], ['odd', 400, 'request.invalid']])
  assert.deepEqual((await linesOf(client, batch.output_file_id)).map(({ custom_id }) => custom_id), ['good'])
})

test('a file with bad lines is refused as a whole, each of them named with its number', async () => {
  const client = clientOf(local, await makeKey(database))
  const asked = near.calls().length
  const long = 'x'.repeat(300)
  const batch = await endOf(client, (await sendBatch(client, [
    chatLine('one'), 'no json', '', chatLine('one'), { ...chatLine('get'), method: 'GET' }, { ...chatLine('elsewhere'), url: '/v1/embeddings' }, '[1]',
    { ...chatLine('x'), custom_id: 7 }, chatLine(long), { ...chatLine('empty'), body: {} }, { ...chatLine('stream'), body: { model: 'auto', messages: [], stream: true } }, chatLine('nul\0'),
  ])).id)
  assert.deepEqual([batch.status, batch.request_counts, batch.output_file_id, batch.error_file_id], ['failed', { total: 0, completed: 0, failed: 0 }, null, null])
  assert.deepEqual(batch.errors!.data!.map(({ line, code }) => [line, code]), [
    [2, 'request.invalid'], [4, 'duplicate_custom_id'], [5, 'request.invalid'], [6, 'request.invalid'], [7, 'request.invalid'], [8, 'request.invalid'],
    [9, 'request.invalid'], [10, 'request.invalid'], [11, 'request.invalid'], [12, 'request.invalid'],
  ])
  assert.ok(batch.errors!.data!.every(({ message }) => message && !message.includes(long)))
  assert.equal(near.calls().length, asked)
  const empty = await endOf(client, (await sendBatch(client, ['', ''])).id)
  assert.deepEqual([empty.status, empty.errors!.data!.map(({ code }) => code)], ['failed', ['empty_file']])
})

test('another key, of this gate or the other, sees nothing of it', async () => {
  const client = clientOf(local, await makeKey(database))
  const batch = await sendBatch(client, [chatLine('mine')])
  const done = await endOf(client, batch.id)
  for (const other of [clientOf(local, await makeKey(database)), clientOf(cloud, await makeKey(database, { gate: 'cloud' }))]) {
    await assert.rejects(other.batches.retrieve(batch.id), refusal(404, 'batch.missing'))
    await assert.rejects(other.batches.cancel(batch.id), refusal(404, 'batch.missing'))
    for (const id of [batch.input_file_id, done.output_file_id!]) {
      await assert.rejects(other.files.retrieve(id), refusal(404, 'files.missing'))
      await assert.rejects(other.files.content(id), refusal(404, 'files.missing'))
      await assert.rejects(other.files.delete(id), refusal(404, 'files.missing'))
    }
    await assert.rejects(other.batches.create({ input_file_id: batch.input_file_id, endpoint: '/v1/chat/completions', completion_window: '24h' }), refusal(404, 'files.missing'))
    assert.deepEqual([(await other.batches.list()).data, (await other.files.list()).data], [[], []])
    assert.deepEqual((await other.batches.list({ after: batch.id })).data, [])
  }
})

test('the key of a run sends in nothing: it ends with its run', async () => {
  const client = clientOf(local, await openRun(database, 'private'))
  await assert.rejects(sendFile(client, [chatLine('x')]), refusal(403, 'batch.no_client'))
  await assert.rejects(client.batches.list(), refusal(403, 'batch.no_client'))
})

test('a header raises the label of a file and of a batch, up to what the key is good for; a batch is never below its file', async () => {
  const made = await makeKey(database, { max: 3 })
  const file = await sendFile(clientOf(local, made, { 'x-castellan-label': 'P3' }), [chatLine('x')])
  const client = clientOf(local, made)
  await endOf(client, (await client.batches.create({ input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h' })).id)
  await allClosed(database)
  const levels = async (text: string) => (await database.owner.pool.query<{ label_level: number }>(text, [made.id])).rows.map((row) => row.label_level)
  assert.deepEqual(await levels('select label_level from model_call where key_id = $1'), [3])
  assert.deepEqual(await levels('select label_level from batch_file where key_id = $1'), [3, 3])
  assert.deepEqual(await levels('select l.label_level from batch_line l join batch b on b.id = batch_id where key_id = $1'), [3])
  const low = await makeKey(database, { max: 2 })
  await assert.rejects(sendFile(clientOf(local, low, { 'x-castellan-label': 'P3' }), [chatLine('x')]), refusal(403, 'label_refused'))
  const lowFile = await sendFile(clientOf(local, low), [chatLine('x')])
  await assert.rejects(clientOf(local, low, { 'x-castellan-label': 'P3' }).batches.create({ input_file_id: lowFile.id, endpoint: '/v1/chat/completions', completion_window: '24h' }), refusal(403, 'label_refused'))
})

test('a line whose label reaches no model is refused, and the refusal is its error', async () => {
  const client = clientOf(local, await makeKey(database))
  const asked = far.calls().length
  const batch = await endOf(client, (await sendBatch(client, [chatLine('x', 'x', 'far/far')])).id)
  const [line] = await linesOf(client, batch.error_file_id)
  assert.equal(line!.response!.status_code, 403)
  assert.equal((line!.response!.body['error'] as { code: string }).code, 'label_refused')
  assert.equal(far.calls().length, asked)
})

test('a file that a batch reads stays, and goes when the batch has ended; of a batch that is gone the answers are gone', async () => {
  const client = clientOf(local, await makeKey(database))
  near.next({ text: ['slow'], misbehaves: { kind: 'stall' } })
  const batch = await sendBatch(client, [chatLine('x')])
  await near.held()
  await assert.rejects(client.files.delete(batch.input_file_id), refusal(403, 'files.in_use'))
  near.release()
  const done = await endOf(client, batch.id)
  assert.deepEqual(await client.files.delete(batch.input_file_id), { id: batch.input_file_id, object: 'file', deleted: true })
  await client.files.delete((done.output_file_id ?? done.error_file_id)!)
  await assert.rejects(client.files.content((done.output_file_id ?? done.error_file_id)!), refusal(404, 'files.missing'))
  const { rows } = await database.owner.pool.query(`select count(*)::int as kept from batch_line where batch_id::text = $1 and answer is not null`, [batch.id.replace('batch_', '').replace(/(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')])
  assert.equal(rows[0].kept, 0)
})
