import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import type { Fault } from '../kernel/fault.ts'
import { join, type Label } from '../labels/index.ts'
import { callTool } from './call-tool.ts'
import { defineTool } from './define-tool.ts'
import { Park } from './park.ts'
import { storable } from './storable.ts'
import type { ToolContext } from './tool-context.ts'

const start: Label = { level: 1, integrity: 'trusted', lanes: ['open'] }

function contextOf(signal: AbortSignal = new AbortController().signal): ToolContext {
  let label = start
  let withoutModel = false
  return {
    signal,
    label: () => label,
    raise: (more: Label) => {
      label = join(label, more)
    },
    markMadeWithoutModel: () => {
      withoutModel = true
    },
    wasMadeWithoutModel: () => withoutModel,
  } as Partial<ToolContext> as ToolContext
}

const echo = defineTool({
  name: 'test.echo',
  summary: 'says it again',
  effect: 'read',
  input: z.strictObject({ word: z.string(), times: z.int().max(3).default(1), mail: z.object({ to: z.array(z.string()) }).optional() }),
  output: z.object({ said: z.string() }),
  run: async (_context, { word, times }) => ({ said: word.repeat(times) }),
})

function toolThat(run: (context: ToolContext) => Promise<unknown>, more: object = {}) {
  return defineTool({ name: 'test.tool', summary: '', effect: 'read', input: z.unknown(), output: z.unknown(), run: (context) => run(context), ...more })
}

test('a tool gets its defaults and gives what it declares, with the label of the run', async () => {
  assert.deepEqual(await callTool(echo, contextOf(), { word: 'ho', times: 2 }), { output: { said: 'hoho' }, label: start, madeWithoutModel: false })
})

test('wrong input is told by its path, with what was expected and what was there, but not its value', async () => {
  const wrong = { word: 7, times: 99, mail: { to: ['a@b.example', { secret: 'Geheimnis' }] }, extra: true }
  await assert.rejects(callTool(echo, contextOf(), wrong), (fault: Fault) => {
    assert.deepEqual([fault.kind, fault.code], ['invalid', 'tool.input'])
    assert.match(fault.message, /test\.echo/)
    assert.match(fault.message, /word: expected string, got number/)
    assert.match(fault.message, /times: expected at most 3/)
    assert.match(fault.message, /mail\.to\.1: expected string, got object/)
    assert.match(fault.message, /does not know extra/)
    assert.doesNotMatch(fault.message, /Geheimnis/)
    return true
  })
  await assert.rejects(callTool(echo, contextOf(), undefined), /word: expected string, got nothing/)
})

test('an output that is not what the tool declares is a defect of the tool', async () => {
  const liar = toolThat(async () => ({ said: 1 }), { output: z.object({ said: z.string() }) })
  await assert.rejects(callTool(liar, contextOf(), {}), { kind: 'internal', code: 'tool.output' })
})

test('the label is that of the run joined with all that was read', async () => {
  const reader = toolThat(async (context) => {
    context.raise({ level: 2, integrity: 'untrusted', lanes: ['private'] })
    context.raise({ level: 0, integrity: 'trusted', lanes: [] })
    context.markMadeWithoutModel()
    return 1
  })
  const { label, madeWithoutModel } = await callTool(reader, contextOf(), {})
  assert.deepEqual(label, { level: 2, integrity: 'untrusted', lanes: ['open', 'private'] })
  assert.equal(madeWithoutModel, true)
})

test('what a model says is untrusted, whatever it was asked', async () => {
  const model = toolThat(async () => 'hello', { label: 'untrusted' })
  assert.deepEqual((await callTool(model, contextOf(), {})).label, { ...start, integrity: 'untrusted' })
})

test('a failure and a park carry the label of what was read before', async () => {
  const read = (context: ToolContext) => context.raise({ level: 3, integrity: 'untrusted', lanes: [] })
  const failing = toolThat(async (context) => {
    read(context)
    throw new Error('the letter says: 12345')
  })
  await assert.rejects(callTool(failing, contextOf(), {}), (fault: Fault & { label: Label }) => {
    assert.equal(fault.kind, 'internal')
    assert.equal(fault.label.level, 3)
    return true
  })
  const waiting = toolThat(async (context) => {
    read(context)
    throw new Park('2 proposals wait')
  })
  await assert.rejects(callTool(waiting, contextOf(), {}), (park: Park) => park instanceof Park && park.reason === '2 proposals wait' && park.label?.level === 3)
})

test('a tool that does not listen is left behind when its time is over', async () => {
  const deaf = toolThat(() => new Promise(() => undefined))
  await assert.rejects(callTool(deaf, contextOf(AbortSignal.timeout(20)), {}), { kind: 'timeout', code: 'tool.timeout' })
})

test('a tool whose run is ended says so, and does not even begin after that', async () => {
  const abort = new AbortController()
  let began = 0
  const deaf = toolThat(() => {
    began += 1
    return new Promise(() => undefined)
  })
  const running = callTool(deaf, contextOf(abort.signal), {})
  await new Promise((resolve) => setImmediate(resolve))
  abort.abort()
  await assert.rejects(running, { kind: 'unavailable', code: 'tool.aborted' })
  await assert.rejects(callTool(deaf, contextOf(abort.signal), {}), { code: 'tool.aborted' })
  assert.equal(began, 1)
})

test('what PostgreSQL cannot keep in jsonb is replaced, at any depth and in keys', () => {
  assert.deepEqual(storable({ 'a\u0000': ['\ud800x', { b: 'fine', c: Number.NaN, d: new Date(0) }], e: null }), {
    'a\uFFFD': ['\uFFFDx', { b: 'fine', c: null, d: '1970-01-01T00:00:00.000Z' }], e: null,
  })
})

test('an output larger than a step may hold is refused with what to do', async () => {
  await assert.rejects(callTool(toolThat(async () => 'x'.repeat(8_000_001)), contextOf(), {}), { code: 'tool.output_size', message: /smaller limit/ })
})
