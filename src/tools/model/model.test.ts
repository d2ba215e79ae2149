import assert from 'node:assert/strict'
import { after, beforeEach, describe, test } from 'node:test'
import { allClosed, gateDatabase, startGate } from '../../../test/support/gate.ts'
import { startModelServer } from '../../../test/support/model-server.ts'
import { openTestRun, takeOver, type TestRun } from '../../../test/support/tool-run.ts'
import type { Settings } from '../../house/index.ts'
import { callTool } from '../call-tool.ts'
import type { ToolContext } from '../tool-context.ts'
import { modelAsk } from './ask.ts'
import { connectGate, createModels } from './create-models.ts'

// before the database's own hook, so that the gate stops first
after(async () => {
  await pool.close()
  await gate.stop()
  await server.close()
})
const server = await startModelServer({ models: [{ name: 'scripted:latest' }] })
const database = await gateDatabase(['ollama'])
const settings: Settings['models'] = {
  upstreams: [{ name: 'ollama', kind: 'ollama', url: server.url, zone: 'machine' }],
  routes: { summarize: [{ upstream: 'ollama', model: 'auto' }] },
}
const gate = await startGate(database, 'gate-local', settings)
const pool = connectGate(gate.socket)
let here: TestRun
let withoutModel = false

beforeEach(async () => {
  server.answer({ text: ['A short ', 'summary.'], usage: { input: 11, output: 3 } })
  here = await openTestRun(database, { level: 2 })
  withoutModel = false
})

const documents = [
  { title: 'The shop', text: 'The shop is down since this morning. The weather is fine. Please repair the shop before noon.' },
  { title: 'The quote', text: 'We ask for a quote for the ticket shop by Friday.' },
]

function ask(input: object, { fallback, signal = new AbortController().signal, gate: through = pool }: { fallback?: 'extractive'; signal?: AbortSignal; gate?: typeof pool } = {}) {
  const models = createModels({ database: database.as('castellan_worker_private'), gates: { local: through }, settings, ...here })
  const context = {
    ...here, models, fallback, signal, clock: { now: () => new Date() },
    markMadeWithoutModel: () => {
      withoutModel = true
    },
    wasMadeWithoutModel: () => withoutModel,
  } as Partial<ToolContext> as ToolContext
  return callTool(modelAsk, context, { task: 'summarize', prompt: 'Sum up.', ...input })
}
const sent = () => server.calls().at(-1)!.json!['messages'] as { role: string; content: string }[]

test('a model is asked through the gate, under a session of the run, and its answer is untrusted', async () => {
  const { output, label } = await ask({ system: 'You are brief.' })
  assert.deepEqual(output, { text: 'A short summary.', model: 'ollama/scripted:latest', madeWithoutModel: false })
  assert.deepEqual(label, { level: 2, integrity: 'untrusted', lanes: ['private'] })
  assert.deepEqual(sent().map(({ role, content }) => [role, content]), [['system', 'You are brief.'], ['user', 'Sum up.']])
  await allClosed(database)
  const { rows } = await database.owner.pool.query('select task, state, label_level from model_call where run_id = $1', [here.run.id])
  assert.deepEqual(rows, [{ task: 'summarize', state: 'succeeded', label_level: 2 }])
})

test('documents are put behind the prompt, once', async () => {
  await ask({ documents })
  const [only] = sent()
  assert.match(only!.content, /^Sum up\.\n\n--- document 1 of 2: The shop\nThe shop is down[^]*\n\n--- document 2 of 2: The quote\n/)
  await ask({ prompt: `Sum up: ${documents[0]!.text} and ${documents[1]!.text}`, documents })
  assert.doesNotMatch(sent()[0]!.content, /--- document/)
})

test('what is cut from too many documents is said', async () => {
  await ask({ documents: [{ title: 'long', text: 'x'.repeat(150_000) }, { title: 'longer', text: 'y'.repeat(150_000) }] })
  assert.equal(sent()[0]!.content.match(/\[the rest is left out\]/g)?.length, 1)
})

describe('without a model', () => {
  const nobody = connectGate('/nowhere/gate.sock')
  after(() => nobody.close())

  test('the step fails, unless it wants the sentences that say most, which are marked as made without one', async () => {
    await assert.rejects(ask({ documents }, { gate: nobody }), { kind: 'unavailable', code: 'model.gate' })
    const { output, madeWithoutModel } = await ask({ documents }, { gate: nobody, fallback: 'extractive' })
    const { text, model } = output as { text: string; model: string | null }
    assert.deepEqual([model, madeWithoutModel], [null, true])
    assert.match(text, /- The shop is down since this morning\. \(The shop\)/)
    assert.match(here.logged.join(), /made without a model/)
  })

  test('because the upstream fails, likewise', async () => {
    server.answer({ text: [], misbehaves: { kind: 'status', status: 500 } } as never)
    const { output } = await ask({ documents }, { fallback: 'extractive' })
    assert.equal((output as { madeWithoutModel: boolean }).madeWithoutModel, true)
  })
})

test('a step that has read more than the run is labelled is refused, also with a fallback: the gate would judge by too low a label', async () => {
  here.raise({ level: 3, integrity: 'untrusted', lanes: ['private'] })
  const before = server.calls().length
  await assert.rejects(ask({ documents }, { fallback: 'extractive' }), { kind: 'refused', code: 'model.label', message: /read in one step, ask a model in the next/ })
  assert.equal(server.calls().length, before)
})

test('an executor that lost the run asks nobody', async () => {
  await takeOver(database.owner, here.run.id)
  const before = server.calls().length
  await assert.rejects(ask({ documents }, { fallback: 'extractive' }), { kind: 'conflict', code: 'run.fence_lost' })
  assert.equal(server.calls().length, before)
})

test('a model that thinks too long is given up with the step, and is no reason for a fallback', async () => {
  server.next({ text: ['x'], misbehaves: { kind: 'stall' } })
  await assert.rejects(ask({ documents }, { fallback: 'extractive', signal: AbortSignal.timeout(300) }), { kind: 'timeout', code: 'tool.timeout' })
  server.release()
})
