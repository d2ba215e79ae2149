import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, test, type TestContext } from 'node:test'
import { chatLine, clientOf, endOf, linesOf, makeKey, sendBatch, sendFile } from '../../../test/support/batches.ts'
import { gateBoot, gateDatabase, startGate, until } from '../../../test/support/gate.ts'
import { startModelServer } from '../../../test/support/model-server.ts'

after(() => server.close())
const server = await startModelServer({ models: [{ name: 'scripted:latest' }] })
const models = { upstreams: [{ name: 'ollama', kind: 'ollama', url: server.url, zone: 'machine' }], batches: { concurrent: 2, hours: null } } as const
const main = join(import.meta.dirname, '../../processes/main.ts')
const names = ['one', 'two', 'three', 'four']

/** A gate in a process of its own, as `up` starts it, that dies at a fault point. */
async function startMortal(database: Parameters<typeof gateBoot>[0], faultPoints: string): Promise<{ address: string; died: Promise<string | null>; remove(): Promise<void> }> {
  const { boot, remove } = await gateBoot(database, 'gate-local', models)
  const child = spawn(process.execPath, ['--disable-sigusr1', main, 'gate-local'], { stdio: ['ignore', 'pipe', 'ignore', 'pipe'] })
  const died = once(child, 'exit').then(([, signal]) => signal as string | null)
  ;(child.stdio[3] as import('node:net').Socket).end(JSON.stringify({ ...boot, faultPoints }))
  for await (const line of createInterface({ input: child.stdout! })) {
    const { address } = JSON.parse(line) as { address?: string }
    if (address) return { address, died, remove }
  }
  throw new Error('the gate ended before it listened')
}

async function crash(t: TestContext, faultPoints: string) {
  const database = await gateDatabase(['ollama'], t)
  const key = await makeKey(database)
  const mortal = await startMortal(database, faultPoints)
  return { database, key, mortal }
}

type States = readonly (readonly [state: string, reason: string | null])[]
const [died, answered] = [['abandoned', 'gate_died'], ['succeeded', null]] as const
const table: readonly [point: string, lines: number, calls: States][] = [
  // taken, and never asked: asked now
  ['batch.line:before', 4, Array(4).fill(answered)],
  // its call is open: that one is closed at what was reserved, and the line asked again
  ['call.open:after', 4, [died, ...Array(4).fill(answered)]],
  // answered, and never written down: asked again, and reported once
  ['batch.line:after', 4, [answered, ...Array(4).fill(answered)]],
  // all of it answered, its files not made or just made
  ['batch.close:before', 4, Array(4).fill(answered)],
  ['batch.close:after', 4, Array(4).fill(answered)],
]

for (const [point, lines, calls] of table) {
  test(`a gate that dies at ${point} reports each line once after it has started again`, { timeout: 60_000 }, async (t) => {
    const { database, key, mortal } = await crash(t, `${point}=1`)
    // who is answered may be answered no more
    await sendBatch(clientOf(mortal, key), names.slice(0, lines).map((name) => chatLine(name))).catch(() => {})
    assert.equal(await mortal.died, 'SIGKILL')
    await mortal.remove()
    const { rows: [batch] } = await database.owner.pool.query<{ id: string }>(`select 'batch_' || replace(id::text, '-', '') as id from batch`)

    const successor = await startGate(database, 'gate-local', models)
    t.after(() => successor.stop())
    const client = clientOf(successor, key)
    const done = await endOf(client, batch!.id)
    assert.deepEqual([done.status, done.request_counts], ['completed', { total: lines, completed: lines, failed: 0 }])
    assert.deepEqual((await linesOf(client, done.output_file_id)).map(({ custom_id }) => custom_id), names)
    assert.equal((await client.files.list()).data.filter(({ purpose }) => purpose === 'batch_output').length, 1)
    await successor.stop()
    const { rows } = await database.owner.pool.query<{ state: string; reason: string | null }>('select state, reason from model_call where batch_id is not null order by state, reason')
    const found = rows.map(({ state, reason }) => `${state} ${reason}`)
    // a second line may have been under way when the first one died
    const wanted = calls.map(([state, reason]) => `${state} ${reason}`).sort()
    assert.ok(found.length >= wanted.length && found.length <= wanted.length + 1, found.join())
    assert.deepEqual([...new Set(found)].filter((one) => !wanted.includes(one) && one !== 'abandoned gate_died'), [])
    assert.equal(rows.filter(({ state }) => state === 'open').length, 0)
  })
}

test('a gate that dies again and again ends a batch all the same, each line once', { timeout: 120_000 }, async (t) => {
  const { database, key, mortal } = await crash(t, 'batch.line:before=0.1,batch.line:after=0.1,call.open:after=0.1,batch.close:before=0.3')
  const many = Array.from({ length: 40 }, (_, place) => `line ${place}`)
  await sendBatch(clientOf(mortal, key), many.map((name) => chatLine(name))).catch(() => {})
  assert.equal(await mortal.died, 'SIGKILL')
  await mortal.remove()
  const states = async () => (await database.owner.pool.query<{ state: string }>('select state from batch')).rows.map(({ state }) => state)
  let deaths = 1
  for (; deaths < 5; deaths += 1) {
    const next = await startMortal(database, 'batch.line:before=0.1,batch.line:after=0.1,call.open:after=0.1,batch.close:before=0.3')
    const isDone = until(async () => (await states())[0] === 'completed').then(() => true)
    const ended = await Promise.race([isDone, next.died.then(() => false)])
    isDone.catch(() => {})
    if (ended) break
    await next.remove()
  }
  const last = await startGate(database, 'gate-local', models)
  t.after(() => last.stop())
  const client = clientOf(last, key)
  const batch = await endOf(client, (await client.batches.list()).data[0]!.id)
  assert.deepEqual(batch.request_counts, { total: 40, completed: 40, failed: 0 })
  assert.deepEqual((await linesOf(client, batch.output_file_id)).map(({ custom_id }) => custom_id), many)
})

test('what is left of a file whose gate died is gone after the start', { timeout: 60_000 }, async (t) => {
  const { database, key, mortal } = await crash(t, 'batch.file:before=1')
  await assert.rejects(sendFile(clientOf(mortal, key), [chatLine('x')]))
  assert.equal(await mortal.died, 'SIGKILL')
  await mortal.remove()
  const count = async () => (await database.owner.pool.query<{ files: number; lines: number }>('select (select count(*)::int from batch_file) as files, (select count(*)::int from batch_file_line) as lines')).rows[0]
  assert.deepEqual(await count(), { files: 1, lines: 2 })
  const successor = await startGate(database, 'gate-local', models)
  t.after(() => successor.stop())
  assert.deepEqual(await count(), { files: 0, lines: 0 })
  assert.equal((await clientOf(successor, key).files.list()).data.length, 0)
})
