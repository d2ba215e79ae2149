import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import { auditOf, callsOf, gateBoot, gateDatabase, openRun, startGate } from '../../test/support/gate.ts'
import { startModelServer } from '../../test/support/model-server.ts'

after(() => server.close())
const server = await startModelServer({ models: [{ name: 'scripted:latest' }] })
const database = await gateDatabase(['ollama', 'cloud'])
const models = { upstreams: [{ name: 'ollama', kind: 'ollama', url: server.url, zone: 'machine' }] } as const
const main = join(import.meta.dirname, '../processes/main.ts')

/** A gate in a process of its own, as `up` starts it, that dies at a fault point. Resolves with its address, and with its signal once it is dead. */
async function startMortal(faultPoint: string, gate: 'gate-local' | 'gate-cloud' = 'gate-local', declared: Parameters<typeof gateBoot>[2] = models): Promise<{ address: string; died: Promise<string | null>; remove(): Promise<void> }> {
  const { boot, remove } = await gateBoot(database, gate, declared)
  const child = spawn(process.execPath, ['--disable-sigusr1', main, gate], { stdio: ['ignore', 'pipe', 'ignore', 'pipe'] })
  const pipe = child.stdio[3] as NodeJS.WritableStream
  pipe.end(JSON.stringify({ ...boot, faultPoints: `${faultPoint}=1` }))
  const died = once(child, 'exit').then(([, signal]) => signal as string | null)
  for await (const line of createInterface({ input: child.stdout! })) {
    const { address } = JSON.parse(line) as { address?: string }
    if (address) return { address, died, remove }
  }
  throw new Error('the gate ended before it listened')
}

const ask = (address: string, key: string) =>
  fetch(`${address}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: 'Hello' }], max_tokens: 50 }),
  })

/** Who is answered before the row is closed may have his answer when the gate dies; whose model was not asked yet never has. */
async function askMortal(address: string, key: string, point: string): Promise<void> {
  if (point.startsWith('call.open')) await assert.rejects(ask(address, key), TypeError)
  else await ask(address, key).then((response) => response.text(), (error: unknown) => assert.ok(error instanceof TypeError))
}

type Row = [state: string, reason: string | null, input: number | null, output: number | null]
const table: readonly [point: string, asked: number, after: readonly Row[], swept: readonly Row[]][] = [
  // nothing was written and nothing was sent
  ['call.open:before', 0, [], []],
  // intended and never sent: closed at what was reserved
  ['call.open:after', 0, [['open', null, 6, 50]], [['abandoned', 'gate_died', 6, 50]]],
  // answered and never written down: likewise
  ['call.close:before', 1, [['open', null, 6, 50]], [['abandoned', 'gate_died', 6, 50]]],
  ['call.close:after', 1, [['succeeded', null, 11, 3]], [['succeeded', null, 11, 3]]],
]

for (const [point, asked, left, swept] of table) {
  test(`a gate that dies at ${point} leaves a ledger that its successor can close`, async () => {
    const { key, run } = await openRun(database, 'private')
    const before = server.calls().length
    const mortal = await startMortal(point)
    await askMortal(mortal.address, key, point)
    assert.equal(await mortal.died, 'SIGKILL')
    await mortal.remove()
    const rows = async (): Promise<Row[]> => (await callsOf(database, run)).map((row) => [row.state, row.reason, row.input_tokens, row.output_tokens])
    assert.equal(server.calls().length - before, asked)
    assert.deepEqual(await rows(), left)

    const successor = await startGate(database, 'gate-local', models)
    assert.deepEqual(await rows(), swept)
    assert.deepEqual((await auditOf(database, run)).map(({ kind, state }) => [kind, state]), swept.map(([state]) => ['call.closed', state]))
    assert.equal((await ask(successor.address, key)).status, 200)
    await successor.stop()
    assert.equal((await callsOf(database, run)).filter((row) => row.state === 'open').length, 0)
  })
}

test('a gate closes what its own kind left open, not what the other gate is doing', async () => {
  const { run } = await openRun(database, 'private')
  const session = await database.owner.pool.query<{ id: string }>('select id from session where run_id = $1', [run])
  for (const gate of ['local', 'cloud']) {
    await database.owner.pool.query(`insert into model_call (id, session_id, run_id, gate, task) values (gen_random_uuid(), $1, $2, $3, 'chat')`, [session.rows[0]!.id, run, gate])
  }
  const gate = await startGate(database, 'gate-local', models)
  await gate.stop()
  assert.deepEqual((await callsOf(database, run)).map((row) => [row.gate, row.state]).sort(), [['cloud', 'open'], ['local', 'abandoned']])
})

for (const [point, counted, settled] of [
  // nothing of the block was used
  ['call.open:before', 0.5, 0],
  // it may have been made: the most that it can cost
  ['call.open:after', 0.5, 0.05],
  ['call.close:before', 0.5, 0.05],
  // what the upstream reported: three tokens
  ['call.close:after', 0.5, 0.003],
] as const) {
  test(`all of a block counts as spent when a gate dies at ${point}, and what its call cost once there is another`, async () => {
    await database.owner.pool.query('delete from model_call; delete from budget_block; delete from budget_account')
    const money = {
      upstreams: [{ name: 'cloud', kind: 'openai', url: `${server.url}/v1`, zone: 'cloud' }],
      routes: { default: [{ upstream: 'cloud', model: 'scripted:latest' }] },
      // a thousandth of a euro for each token of output
      spending: { budgets: [{ per: 'month', eur: 1 }], prices: { 'cloud/*': { input: 0, output: 1_000 } }, microEurPerUsd: 1_000_000, allowUnknownPrice: false },
    } as const
    const countedNow = async () => (await database.owner.pool.query<{ eur: number }>('select counted_eur::float8 as eur from budget_account')).rows[0]?.eur
    const { key } = await openRun(database, 'open')
    const mortal = await startMortal(point, 'gate-cloud', money)
    await askMortal(mortal.address, key, point)
    assert.equal(await mortal.died, 'SIGKILL')
    await mortal.remove()
    assert.equal(await countedNow(), counted)
    const successor = await startGate(database, 'gate-cloud', money)
    assert.equal(await countedNow(), settled)
    await successor.stop()
  })
}
