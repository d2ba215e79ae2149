import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type OpenAI from 'openai'
import { chatLine, clientOf, endOf, linesOf, makeKey, sendBatch } from '../../../test/support/batches.ts'
import { allClosed, gateDatabase, startGate, until, type TestGate } from '../../../test/support/gate.ts'
import type { TestDatabase } from '../../../test/support/database.ts'
import { startModelServer, type ModelServer } from '../../../test/support/model-server.ts'

interface Wanted {
  readonly limits?: NonNullable<Parameters<typeof startGate>[2]['routing']>['limits']
  readonly batches?: Parameters<typeof startGate>[2]['batches']
  readonly spending?: Parameters<typeof startGate>[2]['spending']
}

/** A house of its own with one model, and a program with a key. */
async function work(t: TestContext, gate: 'local' | 'cloud' = 'local', { limits, batches, spending }: Wanted = {}) {
  const server = await startModelServer({ models: [{ name: 'm' }] })
  const upstream = gate === 'local' ? ({ name: 'near', kind: 'ollama', url: server.url, zone: 'machine' } as const) : ({ name: 'far', kind: 'openai', url: `${server.url}/v1`, zone: 'cloud' } as const)
  const models = { upstreams: [upstream], routes: { default: [{ upstream: upstream.name, model: 'm' }] }, ...(batches && { batches }), ...(spending && { spending }), ...(limits && { routing: { limits } }) }
  const start = (more: Partial<typeof models> = {}) => startGate(database, `gate-${gate}`, { ...models, ...more })
  const running: TestGate[] = []
  const open = async (more?: Partial<typeof models>) => {
    const started = await start(more)
    running.push(started)
    return started
  }
  // before the database's own hook, so that the gates stop first
  t.after(async () => {
    server.release()
    await Promise.all(running.map((one) => one.stop(0)))
    await server.close()
  })
  const database = await gateDatabase(['near', 'far'], t)
  const key = await makeKey(database, { gate })
  return { database, server, open, key }
}

const statesOf = async (database: TestDatabase, key: { id: string }) =>
  (await database.owner.pool.query<{ state: string; count: number }>('select l.state, count(*)::int as count from batch_line l join batch b on b.id = batch_id where b.key_id = $1 group by 1 order by 1', [key.id])).rows.map(({ state, count }) => `${count} ${state}`)
const callsBy = async (database: TestDatabase, key: { id: string }) =>
  (await database.owner.pool.query<{ state: string; reason: string | null }>('select state, reason from model_call where key_id = $1 order by opened_at, id', [key.id])).rows
const names = (count: number) => Array.from({ length: count }, (_, place) => chatLine(`line ${place}`))
const asked = async (server: ModelServer, count: number) => until(async () => server.calls().length >= count, `${count} calls`)

test('no more lines are asked at once than the house says', async (t) => {
  const { database, server, open, key } = await work(t, 'local', { batches: { concurrent: 3, hours: null } })
  server.answer({ misbehaves: { kind: 'stall' } })
  const gate = await open()
  await sendBatch(clientOf(gate, key), names(9))
  await asked(server, 3)
  await until(async () => (await statesOf(database, key)).join() === '3 asking,6 waiting')
  assert.equal(server.calls().length, 3)
})

test('a key that is revoked stops its batch: what was under way ends, nothing more is asked, and nobody can fetch anything', async (t) => {
  const { database, server, open, key } = await work(t)
  const gate = await open()
  server.next({ misbehaves: { kind: 'stall' } }, { misbehaves: { kind: 'stall' } })
  await sendBatch(clientOf(gate, key), names(9))
  await server.held()
  await asked(server, 2)
  await database.as('castellan_releaser').pool.query('select client_key_revoke($1)', [key.name])
  server.release()
  const state = async () => (await database.owner.pool.query<{ state: string; errors: { code: string }[] | null; output: string | null }>('select state, errors, output_file_id as output from batch where key_id = $1', [key.id])).rows[0]!
  await until(async () => (await state()).state === 'failed')
  assert.deepEqual([(await state()).errors?.map(({ code }) => code), (await state()).output], [['key_ended'], null])
  assert.equal(server.calls().length, 2)
  assert.deepEqual(await statesOf(database, key), ['2 answered', '7 failed'])
  await assert.rejects(clientOf(gate, key).batches.list(), { status: 401 })
})

test('a key whose time is over stops its batch likewise', async (t) => {
  const { database, server, open, key } = await work(t, 'local', { limits: { near: { requests: { day: 1 }, tokens: {}, waitMs: 0, whenFull: 'wait' } } })
  const gate = await open()
  await sendBatch(clientOf(gate, key), names(2))
  await asked(server, 1)
  await database.owner.pool.query('update client_key set expires_at = clock_timestamp() where id = $1', [key.id])
  await until(async () => (await database.owner.pool.query(`select 1 from batch where key_id = $1 and state = 'failed'`, [key.id])).rowCount === 1)
  assert.equal(server.calls().length, 1)
})

test('while nobody knows whether its key was revoked a batch waits, its program is told why, and both go on when the operator has signed', async (t) => {
  const { database, server, open, key } = await work(t)
  const gate = await open()
  const client = clientOf(gate, key)
  server.next({ misbehaves: { kind: 'stall' } }, { misbehaves: { kind: 'stall' } })
  const { id } = await sendBatch(client, names(5))
  await server.held()
  await asked(server, 2)
  await database.as('castellan_releaser').pool.query(`select outbox_fence(gen_random_uuid(), clock_timestamp(), 'the copy is old')`)
  server.release()
  await until(async () => (await statesOf(database, key)).join() === '2 answered,3 waiting')
  await gate.stop()
  // a new process remembers nothing
  const next = await open()
  await assert.rejects(clientOf(next, key).batches.retrieve(id), { status: 503, code: 'outbox.fenced', message: /castellan outbox resume/ })
  await assert.rejects(clientOf(next, { key: `ck_${'0'.repeat(64)}` }).batches.list(), { status: 401, code: 'session_unknown' })
  await until(async () => (await statesOf(database, key)).join() === '2 answered,3 waiting')
  assert.equal(server.calls().length, 2)
  assert.equal((await database.owner.pool.query('select state from batch where key_id = $1', [key.id])).rows[0].state, 'in_progress')
  await database.owner.pool.query('update releaser_state set fence_id = null, fenced_at = null, fence_reason = null')
  await endOf(clientOf(next, key), id)
  assert.equal(server.calls().length, 5)
})

test('a line for which there is no money waits, and is asked when there is', async (t) => {
  const { database, server, open, key } = await work(t, 'cloud', { spending: { budgets: [{ per: 'month', eur: 1 }], prices: { 'far/m': { input: 0, output: 1, outputLimit: 1_000 } }, microEurPerUsd: 1_000_000, allowUnknownPrice: false } })
  const gate = await open()
  const client = clientOf(gate, key)
  // all of it is spent already
  await database.owner.pool.query(`insert into budget_account (ceiling, starts_at, ends_at, limit_eur, counted_eur) values ('month', date_trunc('month', now(), 'UTC'), date_trunc('month', now(), 'UTC') + interval '1 month', 1, 1)`)
  const batch = await sendBatch(client, names(5))
  await until(async () => (await callsBy(database, key)).length > 0)
  assert.match((await callsBy(database, key))[0]!.reason ?? '', /^budget_exceeded/)
  assert.deepEqual([(await client.batches.retrieve(batch.id)).status, server.calls().length], ['in_progress', 0])
  await database.owner.pool.query('update budget_account set counted_eur = 0')
  const done = await endOf(client, batch.id)
  assert.deepEqual([done.status, done.request_counts], ['completed', { total: 5, completed: 5, failed: 0 }])
  assert.ok((await callsBy(database, key)).filter(({ state }) => state === 'refused').length < 5, 'not every line is refused, and none of them again and again')
})

test('while programs wait for an upstream no line is begun there', async (t) => {
  const { database, server, open, key } = await work(t, 'local', { limits: { near: { requests: {}, tokens: {}, concurrent: 1, waitMs: 30_000, whenFull: 'wait' } } })
  const gate = await open()
  const client = clientOf(gate, key)
  server.next({ text: ['first'], misbehaves: { kind: 'stall' } }, { text: ['second'], misbehaves: { kind: 'stall' } }, { text: ['line'] })
  const ask = () => client.chat.completions.create({ model: 'auto', messages: [{ role: 'user', content: 'client' }] })
  const first = ask()
  await server.held()
  const second = ask()
  const batch = await sendBatch(client, [chatLine('line')])
  await until(async () => (await callsBy(database, key)).some(({ state, reason }) => state === 'refused' && reason?.startsWith('limit_reached')))
  server.release()
  assert.equal((await first).choices[0]?.message.content, 'first')
  await asked(server, 2)
  server.release()
  assert.equal((await second).choices[0]?.message.content, 'second')
  const [line] = await linesOf(client, (await endOf(client, batch.id)).output_file_id)
  assert.equal((line!.response!.body as unknown as OpenAI.ChatCompletion).choices[0]?.message.content, 'line')
})

test('a batch that is cancelled begins no line, ends those that are asked, and says so of the others', async (t) => {
  const { server, open, key } = await work(t, 'local', { batches: { concurrent: 1, hours: null } })
  const gate = await open()
  const client = clientOf(gate, key)
  server.next({ text: ['done'], misbehaves: { kind: 'stall' } })
  const batch = await sendBatch(client, names(3))
  await server.held()
  assert.equal((await client.batches.cancel(batch.id)).status, 'cancelling')
  server.release()
  const done = await endOf(client, batch.id)
  assert.deepEqual([done.status, done.request_counts, server.calls().length], ['cancelled', { total: 3, completed: 1, failed: 2 }, 1])
  assert.ok(done.cancelling_at && done.cancelled_at)
  assert.deepEqual((await linesOf(client, done.output_file_id)).map(({ custom_id }) => custom_id), ['line 0'])
  assert.deepEqual((await linesOf(client, done.error_file_id)).map(({ custom_id, response, error }) => [custom_id, response, error?.code]), [['line 1', null, 'batch_cancelled'], ['line 2', null, 'batch_cancelled']])
  await assert.rejects(client.batches.cancel(batch.id), { status: 403 })
})

test('what is not asked within the window is reported as expired', async (t) => {
  const { database, server, open, key } = await work(t, 'local', { limits: { near: { requests: { day: 1 }, tokens: {}, waitMs: 0, whenFull: 'wait' } } })
  const gate = await open()
  const client = clientOf(gate, key)
  const batch = await sendBatch(client, names(2))
  await asked(server, 1)
  await until(async () => (await statesOf(database, key)).includes('1 answered'))
  await database.owner.pool.query(`update batch set window_ends_at = clock_timestamp() where key_id = $1`, [key.id])
  const done = await endOf(client, batch.id)
  assert.deepEqual([done.status, done.request_counts, done.expired_at !== null], ['expired', { total: 2, completed: 1, failed: 1 }, true])
  assert.deepEqual((await linesOf(client, done.error_file_id)).map(({ error }) => error?.code), ['batch_expired'])
})

test('a stop lets the lines that are asked end, and leaves the others to the next start', async (t) => {
  const { database, server, open, key } = await work(t)
  const gate = await open()
  server.next({ text: ['before'], misbehaves: { kind: 'stall' } }, { text: ['before'], misbehaves: { kind: 'stall' } })
  const batch = await sendBatch(clientOf(gate, key), names(5))
  await asked(server, 2)
  const stopped = gate.stop(10_000)
  server.release()
  await stopped
  assert.deepEqual([await statesOf(database, key), server.calls().length], [['2 answered', '3 waiting'], 2])
  const next = await open()
  const done = await endOf(clientOf(next, key), batch.id)
  assert.deepEqual([done.request_counts, server.calls().length], [{ total: 5, completed: 5, failed: 0 }, 5])
})

test('what does not end before the deadline of a stop is asked again by the next start', async (t) => {
  const { database, server, open, key } = await work(t)
  const gate = await open()
  server.next({ misbehaves: { kind: 'stall' } }, { misbehaves: { kind: 'stall' } })
  const batch = await sendBatch(clientOf(gate, key), names(2))
  await asked(server, 2)
  await gate.stop(1_000)
  assert.deepEqual(await statesOf(database, key), ['2 waiting'])
  const next = await open()
  assert.deepEqual((await endOf(clientOf(next, key), batch.id)).request_counts, { total: 2, completed: 2, failed: 0 })
  await allClosed(database)
  assert.deepEqual((await callsBy(database, key)).map(({ state, reason }) => [state, reason]), [['abandoned', 'gate_stopped'], ['abandoned', 'gate_stopped'], ['succeeded', null], ['succeeded', null]])
})

test('outside its hours a gate reads files and asks nothing', async (t) => {
  const { database, server, open, key } = await work(t)
  const minute = new Date().getUTCHours() * 60 + new Date().getUTCMinutes()
  const gate = await open({ batches: { concurrent: 2, hours: { from: (minute + 720) % 1_440, to: (minute + 780) % 1_440 } } })
  const client = clientOf(gate, key)
  const batch = await sendBatch(client, names(2))
  await until(async () => (await client.batches.retrieve(batch.id)).status === 'in_progress')
  await gate.stop()
  assert.deepEqual([server.calls().length, await statesOf(database, key)], [0, ['2 waiting']])
  const next = await open()
  assert.equal((await endOf(clientOf(next, key), batch.id)).status, 'completed')
})

test('batches take turns, so that a large one holds nobody up', async (t) => {
  const { database, server, open, key } = await work(t, 'local', { batches: { concurrent: 1, hours: null } })
  const gate = await open()
  const other = await makeKey(database)
  server.next({ misbehaves: { kind: 'stall' } })
  await sendBatch(clientOf(gate, key), names(200))
  await server.held()
  const small = await sendBatch(clientOf(gate, other), names(2))
  await until(async () => (await clientOf(gate, other).batches.retrieve(small.id)).status === 'in_progress')
  server.release()
  await endOf(clientOf(gate, other), small.id)
  assert.ok(server.calls().length < 50)
})

// as many as are more than one group of a file and several of its pages
test('thousands of lines are answered, each once', { timeout: 240_000 }, async (t) => {
  const { server, open, key } = await work(t, 'local', { batches: { concurrent: 16, hours: null } })
  const gate = await open()
  const client = clientOf(gate, key)
  const batch = await sendBatch(client, names(2_500))
  const done = await endOf(client, batch.id, 220_000)
  assert.deepEqual([done.status, done.request_counts, server.calls().length], ['completed', { total: 2_500, completed: 2_500, failed: 0 }, 2_500])
  const lines = await linesOf(client, done.output_file_id)
  assert.deepEqual(lines.map(({ custom_id }) => custom_id), Array.from({ length: 2_500 }, (_, place) => `line ${place}`))
})
