import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import { closedCallsOf, gateDatabase, openRun, startGate } from './support/gate.ts'
import { startModelServer, type Misbehaviour, type Quirk } from './support/model-server.ts'
import type { Ask, Dialect, Heard } from './support/wires/dialect.ts'
import { dialects, failures, fateOf, requests, streamsArguments, survivalTables } from './support/wires/survival.ts'

// Every wire that clients speak, against every kind of upstream: what survives is what test/support/wires/survival.ts says, and no more.

after(async () => {
  await gate.stop()
  await server.close()
})
const cells = dialects.flatMap((client) => dialects.map((upstream) => ({ client, upstream, isPassed: client === upstream, title: `${client.wire} to ${upstream.kind}` })))
type Cell = (typeof cells)[number]

const modelOf = ({ model = 'it' }: Dialect) => model
/** What fails is a model of its own for each cell, since a gate may leave alone for a while what has failed. */
const failing = (client: Dialect, name: string) => `${name}-${client.wire}`
const failingModels = dialects.flatMap((client) => Object.keys(failures).map((name) => ({ name: failing(client, name) })))
const server = await startModelServer({ models: [...dialects.map(modelOf).map((name) => ({ name, capabilities: ['completion', 'tools', 'thinking', 'vision'] })), ...failingModels] })
const database = await gateDatabase(dialects.map(({ kind }) => kind))
const gate = await startGate(database, 'gate-local', { upstreams: dialects.map(({ kind, base }) => ({ name: kind, kind, url: `${server.url}${base}`, zone: 'machine' })) })
const { key, run } = await openRun(database, 'private')
beforeEach(() => server.answer({ text: ['Good ', 'morning.'], usage: { input: 11, output: 13 } }))

interface Answered {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

async function send({ client, upstream }: Cell, asked: Partial<Ask>, { stream = false, model = modelOf(upstream) } = {}): Promise<Answered> {
  const { path, body } = client.write({ turns: [{ user: 'Hello' }], ...asked }, `${upstream.kind}/${model}`, stream)
  const response = await fetch(`${gate.address}${path}`, { method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' }, body: JSON.stringify(body) })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

async function hear(cell: Cell, asked: Partial<Ask>, stream: boolean): Promise<Heard> {
  const { status, text } = await send(cell, asked, { stream })
  assert.equal(status, 200, text)
  return stream ? cell.client.stream(text) : cell.client.whole(JSON.parse(text))
}

const lastRow = async () => (await closedCallsOf(database, run)).at(-1)!
const many = (text: string) => text.repeat(3)

for (const cell of cells) {
  const { client, upstream, isPassed, title } = cell

  for (const [name, { title: feature, ask, look }] of Object.entries(requests) as [keyof typeof requests, { title: string; ask: Partial<Ask>; look(ask: Ask): unknown }][]) {
    const fate = fateOf(name, client.wire, upstream.kind)
    if (fate === undefined) continue
    test(`${title}: ${feature}: ${typeof fate === 'object' ? fate.words : fate}`, async () => {
      const before = server.calls().length
      const { status, text } = await send(cell, ask)
      if (fate === 'refused') {
        assert.deepEqual([status, server.calls().length], [400, before])
        return assert.match(client.error(JSON.parse(text)), /is not served by upstream/)
      }
      assert.equal(status, 200, text)
      const wanted = { turns: [{ user: 'Hello' }], ...ask }
      const seen = look(upstream.asked(server.calls().at(-1)!.json))
      if (fate === 'kept') assert.deepEqual(seen, look(wanted))
      else assert.deepEqual(seen, fate === 'left out' ? undefined : fate.as)
    })
  }

  const tools = requests.tools.ask.tools
  const calls = [{ name: 'find', arguments: { word: 'Köln 🦊 "quoted"' } }, { name: 'count', arguments: {} }]

  for (const stream of [false, true]) {
    const how = stream ? 'streamed' : 'whole'

    test(`${title}: an answer ${how}, with its thoughts, why it stopped and its tokens`, async () => {
      server.answer({ thinking: ['Hm, ', 'so'], text: ['Grüße, ', '🦊 ', 'here'], usage: { input: 11, output: 13 } })
      const { text, textPieces, thinking, calls: none, stop, input, output, ended } = await hear(cell, {}, stream)
      assert.deepEqual({ text, textPieces, thinking, none, stop, input, output, ended }, { text: 'Grüße, 🦊 here', textPieces: stream ? 3 : 1, thinking: 'Hm, so', none: [], stop: 'stop', input: 11, output: 13, ended: true })
      const row = await lastRow()
      assert.deepEqual([row.upstream, row.state, row.input_tokens, row.output_tokens], [upstream.kind, 'succeeded', 11, 13])
    })

    test(`${title}: calls of tools ${how}, with their arguments ${stream && streamsArguments(client, upstream) ? 'in pieces' : 'whole'}`, async () => {
      server.answer({ text: ['I shall look.'], toolCalls: calls })
      const heard = await hear(cell, { tools }, stream)
      assert.deepEqual([heard.text, heard.calls, heard.stop], ['I shall look.', calls, 'tool_calls'])
      if (stream) assert.equal(heard.argumentPieces > calls.length, streamsArguments(client, upstream))
    })

    test(`${title}: an answer ${how} that was cut at its limit says so`, async () => {
      server.answer({ text: ['Good '], finish: 'length' })
      const { text, stop } = await hear(cell, { maxTokens: 4_500 }, stream)
      assert.deepEqual([text, stop], ['Good ', 'length'])
    })

    for (const [name, { title: what, misbehaves, told }] of Object.entries(failures) as [string, { title: string; misbehaves: Misbehaviour; told: number }][]) {
      // a stream that has begun has another way to tell
      if (stream && misbehaves.kind !== 'status') continue
      test(`${title}: ${what} before the first byte is told as ${told}, asked for ${how}`, async () => {
        server.answer({ misbehaves })
        const { status, headers, text } = await send(cell, {}, { stream, model: failing(client, name) })
        assert.equal(status, told, text)
        const message = client.error(JSON.parse(text))
        assert.ok(message.includes(upstream.kind), message)
        if (misbehaves.kind !== 'status') return
        assert.equal(headers.get('retry-after'), misbehaves.retryAfter === undefined ? null : String(misbehaves.retryAfter))
        if (misbehaves.message !== undefined) assert.ok(message.includes(misbehaves.message), message)
      })
    }
  }

  const breaks: readonly Misbehaviour[] = [{ kind: 'die', after: 1 }, { kind: 'cut', after: 1 }, { kind: 'error', after: 1, message: 'out of memory' }, { kind: 'malformed', after: 1 }]
  for (const misbehaves of breaks) {
    test(`${title}: a stream that breaks off (${misbehaves.kind}) is told as broken, and is no answer`, async () => {
      server.answer({ text: ['half an ', 'answer'], misbehaves })
      const { text, error, ended } = await hear(cell, {}, true)
      assert.deepEqual([text, ended], ['half an ', false])
      assert.ok(error, 'the client is told')
      if (misbehaves.kind === 'error') assert.match(error, /out of memory/)
      assert.equal((await lastRow()).state, 'failed')
    })
  }

  test(`${title}: an upstream of which the first word is an error is no answer`, async () => {
    server.answer({ misbehaves: { kind: 'error', after: 0, message: 'out of memory' } })
    const { status, text } = await send(cell, {}, { stream: true })
    const { error, ended } = status === 200 ? client.stream(text) : { error: client.error(JSON.parse(text)), ended: false }
    assert.deepEqual([ended, /out of memory/.test(error ?? '')], [false, true], text)
    // what was passed before it, nobody can take back
    if (!isPassed) assert.equal(status, 503)
  })

  for (const quirk of ['in-small-pieces', 'keep-alive', 'no-usage', ...quirksOf(upstream)] as const) {
    test(`${title}: an upstream with a way of its own (${quirk}) is understood`, async () => {
      server.answer({ thinking: ['Hm'], text: ['Grüße, ', many('🦊')], toolCalls: calls, usage: { input: 11, output: 13 }, quirks: [quirk] })
      const { text, thinking, calls: heard, stop, ended, input, output } = await hear(cell, { tools }, true)
      // what is passed is as the upstream said it
      const [itsStop, itsEnd] = isPassed ? [quirk === 'stop-after-tools' ? 'stop' : 'tool_calls', quirk !== 'no-done'] : ['tool_calls', true]
      assert.deepEqual([text, thinking, heard, stop, ended], [`Grüße, ${many('🦊')}`, 'Hm', calls, itsStop, itsEnd])
      const row = await lastRow()
      if (quirk === 'no-prompt-count') return assert.ok(row.input_tokens! > 0 && row.output_tokens === 13)
      if (quirk !== 'no-usage') return assert.deepEqual([row.input_tokens, row.output_tokens, input, output], [11, 13, 11, 13])
      assert.ok(row.input_tokens! > 0 && row.output_tokens! > 0, 'what an upstream does not count is estimated')
      if (!isPassed) assert.deepEqual([input, output], [row.input_tokens, row.output_tokens])
    })
  }
}

test('docs/wires.md says what survives', () => {
  const [, told] = /<!-- survival -->\n\n([\s\S]*?)\n\n<!-- \/survival -->/.exec(readFileSync(join(import.meta.dirname, '../docs/wires.md'), 'utf8'))!
  assert.equal(told, survivalTables())
})

/** The ways that only servers of some wires have. */
function quirksOf({ kind }: Dialect): readonly Quirk[] {
  if (kind === 'ollama') return ['no-prompt-count']
  if (kind === 'anthropic') return ['usage-at-end']
  if (kind === 'openai') return ['usage-in-choices', 'usage-everywhere', 'empty-tool-calls', 'content-in-first-delta', 'no-done', 'stop-after-tools']
  return kind === 'openai-responses' ? ['done-only', 'arguments-once'] : []
}
