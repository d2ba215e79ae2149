import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Ollama, type ChatResponse, type GenerateResponse } from 'ollama'
import { closedCallsOf, gateDatabase, openRun, startGate } from '../../../test/support/gate.ts'
import { startModelServer } from '../../../test/support/model-server.ts'

after(async () => {
  await Promise.all([local.stop(), cloud.stop()])
  await Promise.all([near.close(), far.close()])
})
const near = await startModelServer({ models: [{ name: 'near:latest', capabilities: ['completion', 'tools', 'thinking', 'vision'] }, { name: 'embed-it:latest' }] })
const far = await startModelServer({ models: [{ name: 'far' }, { name: 'busy' }, { name: 'embed-far' }] })
const database = await gateDatabase(['near', 'far', 'claude'])
const models = {
  upstreams: [
    { name: 'near', kind: 'ollama', url: near.url, zone: 'machine' },
    { name: 'far', kind: 'openai', url: `${far.url}/v1`, zone: 'cloud' },
    { name: 'claude', kind: 'anthropic', url: `${far.url}/v1`, zone: 'cloud' },
  ],
} as const
const [local, cloud] = [await startGate(database, 'gate-local', models), await startGate(database, 'gate-cloud', models)]
const sides = [
  { gate: local, lane: 'private', model: 'near/near:latest', answers: 'near:latest', embeds: 'near/embed-it:latest', server: near },
  { gate: cloud, lane: 'open', model: 'far/far', answers: 'far/far', embeds: 'far/embed-far', server: far },
  { gate: cloud, lane: 'open', model: 'claude/far', answers: 'claude/far', embeds: undefined, server: far },
] as const
const clientOf = (gate: { address: string }, key: string) => new Ollama({ host: gate.address, headers: { Authorization: `Bearer ${key}` } })
const messages = [{ role: 'system', content: 'Be brief' }, { role: 'user', content: 'Hello' }]
const weather = { type: 'function', function: { name: 'weather', description: 'The weather of a place', parameters: { type: 'object', properties: { place: { type: 'string' } } } } }
const png = Buffer.from('iVBORw0KGgoAAAANSUhEUg==', 'base64')

async function partsOf<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const parts: T[] = []
  for await (const part of stream) parts.push(part)
  return parts
}

for (const { gate, lane, model, answers, embeds, server } of sides) {
  test(`${model}: the official client chats, whole and streamed, and the ledger has the tokens`, async () => {
    const { key, run } = await openRun(database, lane)
    const said = { thinking: ['Hm'], text: ['Good ', 'morning'], usage: { input: 11, output: 3 } }
    server.next(said, said)
    const whole = await clientOf(gate, key).chat({ model, messages, keep_alive: '5m' })
    assert.deepEqual([whole.message.role, whole.message.content, whole.message.thinking], ['assistant', 'Good morning', 'Hm'])
    assert.deepEqual([whole.model, whole.done, whole.done_reason, whole.prompt_eval_count, whole.eval_count], [answers, true, 'stop', 11, 3])
    assert.ok(whole.total_duration > 0)
    const parts: ChatResponse[] = await partsOf(await clientOf(gate, key).chat({ model, messages, stream: true }))
    assert.equal(parts.map(({ message }) => message.content).join(''), 'Good morning')
    assert.equal(parts.map(({ message }) => message.thinking ?? '').join(''), 'Hm')
    assert.deepEqual(parts.map(({ done }) => done), [false, false, false, true])
    assert.deepEqual([parts.at(-1)!.done_reason, parts.at(-1)!.prompt_eval_count, parts.at(-1)!.eval_count], ['stop', 11, 3])
    assert.ok(!Number.isNaN(Date.parse(String(parts[0]!.created_at))))
    assert.deepEqual((await closedCallsOf(database, run)).map((row) => [row.state, row.input_tokens, row.output_tokens]), [['succeeded', 11, 3], ['succeeded', 11, 3]])
    assert.ok(!('keep_alive' in server.calls().at(-2)!.json!))
  })

  test(`${model}: tools are called with arguments as an object, and results find their calls by the name of the tool`, async () => {
    const { key } = await openRun(database, lane)
    const client = clientOf(gate, key)
    for (const stream of [false, true]) {
      server.next({ text: ['I shall look.'], toolCalls: [{ name: 'weather', arguments: { place: 'Köln' } }, { name: 'weather', arguments: { place: 'Graz' } }] })
      const asked = { model, messages, tools: [weather] }
      const parts: ChatResponse[] = stream ? await partsOf(await client.chat({ ...asked, stream: true })) : [await client.chat(asked)]
      const calls = parts.flatMap(({ message }) => message.tool_calls ?? [])
      assert.deepEqual(calls.map(({ function: { name, arguments: given } }) => [name, given]), [['weather', { place: 'Köln' }], ['weather', { place: 'Graz' }]])
      assert.equal(parts.at(-1)!.done_reason, 'stop')
      server.next({ text: ['Rain, and sun.'] })
      const second = await client.chat({
        model, tools: [weather],
        messages: [...messages, { role: 'assistant', content: 'I shall look.', tool_calls: calls }, { role: 'tool', content: 'rain', tool_name: 'weather' }, { role: 'tool', content: 'sun', tool_name: 'weather' }],
      })
      assert.equal(second.message.content, 'Rain, and sun.')
      const sent = JSON.stringify(server.calls().at(-1)!.json!['messages'])
      assert.ok(sent.indexOf('rain') < sent.indexOf('sun') && sent.includes('Köln'))
      const ids = [...sent.matchAll(/"(?:tool_call_id|tool_use_id)":"([^"]+)"/g)].map(([, id]) => id!)
      assert.equal(new Set(ids).size, ids.length, 'each result answers a call of its own')
      for (const id of ids) assert.ok(sent.includes(`"id":"${id}"`))
    }
  })

  test(`${model}: a schema, an image and options reach the model`, async () => {
    const { key } = await openRun(database, lane)
    const schema = { type: 'object', properties: { city: { type: 'string' } } }
    server.next({ text: ['{"city":"Graz"}'] })
    const answer = await clientOf(gate, key).chat({
      model, format: schema, messages: [{ role: 'user', content: 'Which?', images: [png] }], think: 'low',
      options: { temperature: 0.5, top_p: 0.5, top_k: 9, num_predict: 2_500, stop: ['END'], num_thread: 64 },
    })
    assert.deepEqual(JSON.parse(answer.message.content), { city: 'Graz' })
    const sent = server.calls().at(-1)!.body.toString()
    for (const found of [JSON.stringify(schema), png.toString('base64'), '["END"]', '2500']) assert.ok(sent.includes(found), found)
    assert.ok(!sent.includes('num_thread'))
  })

  test(`${model}: generate answers a prompt with a system, whole and streamed`, async () => {
    const { key } = await openRun(database, lane)
    const said = { thinking: ['Hm'], text: ['Good ', 'morning'], usage: { input: 11, output: 3 } }
    server.next(said, said)
    const whole = await clientOf(gate, key).generate({ model, system: 'Be brief', prompt: 'Hello', images: [png] })
    assert.deepEqual([whole.response, whole.thinking, whole.done, whole.done_reason, whole.eval_count], ['Good morning', 'Hm', true, 'stop', 3])
    const parts: GenerateResponse[] = await partsOf(await clientOf(gate, key).generate({ model, prompt: 'Hello', stream: true }))
    assert.deepEqual([parts.map(({ response }) => response).join(''), parts.at(-1)!.done], ['Good morning', true])
    const sent = server.calls().at(-2)!.body.toString()
    for (const found of ['Be brief', 'Hello', png.toString('base64')]) assert.ok(sent.includes(found), found)
  })

  test(`${model}: what goes wrong is told in the shape that the client reads`, async () => {
    const { key } = await openRun(database, lane)
    const client = clientOf(gate, key)
    const fails = (status: number, words: RegExp) => (error: Error & { status_code?: number }) => {
      assert.deepEqual([error.name, error.status_code], ['ResponseError', status])
      assert.match(error.message, words)
      return true
    }
    await assert.rejects(clientOf(gate, 'nobody').chat({ model, messages }), fails(401, /opens nothing here/))
    await assert.rejects(client.chat({ model: 'nowhere/none', messages }), fails(404, /nowhere/))
    await assert.rejects(client.chat({ model, messages: [] }), fails(400, /messages must be a list/))
    server.next({ text: ['half an '], misbehaves: { kind: 'die', after: 1 } })
    await assert.rejects(async () => partsOf(await client.chat({ model, messages, stream: true })), /upstream|terminated/)
  })

  test(`${model}: a client that stops ends the call`, async () => {
    const { key, run } = await openRun(database, lane)
    server.next({ text: ['one ', 'two'], misbehaves: { kind: 'pause', after: 1 } })
    const client = clientOf(gate, key)
    const stream = await client.chat({ model, messages, stream: true })
    await assert.rejects(async () => {
      for await (const _ of stream) client.abort()
    }, { name: 'AbortError' })
    assert.equal(await server.calls().at(-1)!.over, 'abandoned')
    server.release()
    assert.deepEqual((await closedCallsOf(database, run)).map(({ state }) => state), ['abandoned'])
  })

  test(`${model}: what a key reaches is listed and described`, async () => {
    const { key } = await openRun(database, lane)
    const client = clientOf(gate, key)
    const { models: listed } = await client.list()
    assert.ok(['auto', model].every((name) => listed.some((found) => found.name === name)), JSON.stringify(listed))
    const { capabilities, model_info: info } = await client.show({ model })
    assert.deepEqual([capabilities, (info as unknown as Record<string, unknown>)['llama.context_length']], lane === 'private' ? [['completion', 'tools', 'thinking', 'vision'], 32_768] : [['completion', 'tools', 'vision'], undefined])
    assert.ok((await client.show({ model: 'auto' })).capabilities.includes('tools'))
    await assert.rejects(client.show({ model: 'nowhere/none' }), /reaches no model of that name/)
    assert.deepEqual((await client.ps()).models, [])
    assert.match((await client.version()).version, /^\d+\.\d+\.\d+/)
  })

  if (embeds !== undefined) {
    test(`${embeds}: texts are made vectors, also by the older name`, async () => {
      const { key } = await openRun(database, lane)
      const client = clientOf(gate, key)
      const { embeddings, model: by, prompt_eval_count: counted } = await client.embed({ model: embeds, input: ['a', 'bc'], truncate: true })
      assert.deepEqual([by, embeddings.map(([length]) => length), counted], [embeds, [1, 2], 10])
      assert.equal((await client.embeddings({ model: embeds, prompt: 'abc' })).embedding[0], 3)
      assert.deepEqual((await client.embed({ model: embeds, input: 'a', dimensions: 2 })).embeddings.map(({ length }) => length), [2])
    })
  }
}

test('models are not installed, copied or removed through a gate', async () => {
  const { key } = await openRun(database, 'private')
  const client = clientOf(local, key)
  const asked = near.requests.length
  const attempts = [() => client.pull({ model: 'x' }), () => client.push({ model: 'x' }), () => client.create({ model: 'x', from: 'y' }), () => client.delete({ model: 'x' }), () => client.copy({ source: 'x', destination: 'y' })]
  for (const attempt of attempts) await assert.rejects(attempt, /on the machine where they run/)
  const unknown = await fetch(`${local.address}/api/signout`, { method: 'POST', headers: { authorization: `Bearer ${key}` } })
  assert.deepEqual([unknown.status, Object.keys((await unknown.json()) as object)], [404, ['error', 'code']])
  assert.equal(near.requests.length, asked)
})

test('what is not served is refused with its name, not ignored', async () => {
  const { key } = await openRun(database, 'private')
  const asked = near.calls().length
  const cases: readonly [string, object, RegExp][] = [
    ['chat', { logprobs: true }, /^logprobs is not served/],
    ['chat', { format: 'yaml' }, /^format must be/],
    ['chat', { think: 'much' }, /^think must be one of/],
    ['chat', { options: { temperature: 9 } }, /^options\.temperature must be/],
    ['chat', { options: { stop: [1] } }, /^options\.stop must be/],
    ['chat', { messages: [{ role: 'wizard', content: '' }] }, /^messages\[0\]\.role must be/],
    ['chat', { messages: [{ role: 'tool', content: 'x' }] }, /^messages\[0\] must be the result of a tool/],
    ['chat', { messages: [{ role: 'assistant', content: '', tool_calls: [{ function: { name: 'a', arguments: '{}' } }] }] }, /arguments must be a JSON object/],
    ['chat', { messages: [{ role: 'user', content: 'x', images: ['http://169.254.169.254/x.png'] }] }, /^messages\[0\]\.images\[0\] must be/],
    ['chat', { messages: [{ role: 'user', content: 'x', images: ['aGk='] }] }, /^messages\[0\]\.images\[0\] must be/],
    ['chat', { tools: [{ type: 'function' }] }, /^tools\[0\]\.function\.name must be/],
    ['generate', { prompt: '' }, /^prompt must be text/],
    ['generate', { prompt: 'x', raw: true }, /^raw is not served/],
    ['generate', { prompt: 'x', template: '{{ .Prompt }}' }, /^template is not served/],
    ['generate', { prompt: 'x', suffix: 'y' }, /^suffix is not served/],
    ['generate', { prompt: 'x', context: [1, 2] }, /^context is not served/],
    ['generate', { prompt: 'x', width: 512 }, /^width is not served/],
    ['embed', { input: [1, 2] }, /^input must be/],
    ['embeddings', { prompt: 7 }, /^prompt must be text/],
  ]
  for (const [path, more, words] of cases) {
    const answered = await fetch(`${local.address}/api/${path}`, {
      method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' }, body: JSON.stringify({ model: 'near/near:latest', ...(path === 'chat' && { messages }), ...more }),
    })
    assert.equal(answered.status, 400, JSON.stringify(more))
    assert.match(((await answered.json()) as { error: string }).error, words)
  }
  assert.equal(near.calls().length, asked)
})

test('a daemon’s answer is read byte for byte, options of its own reach it, and its error inside a stream is told once', async () => {
  const { key } = await openRun(database, 'private')
  const post = async (address: string, model: string, path = 'chat', more: object = { messages }) => {
    const answered = await fetch(`${address}/api/${path}`, { method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' }, body: JSON.stringify({ model, ...more, options: { min_p: 0.05 } }) })
    return answered.text()
  }
  const said = { thinking: ['hm'], text: ['Grüße, ', '🦊'], quirks: ['in-small-pieces'] } as const
  for (const [path, more] of [['chat', { messages }], ['generate', { prompt: 'Hello', system: 'Be brief', images: [png.toString('base64')], format: 'json', keep_alive: -1 }]] as const) {
    for (const stream of [undefined, false]) {
      near.next(said, said)
      assert.equal(await post(local.address, 'near/near:latest', path, { ...more, stream }), await post(near.url, 'near:latest', path, { ...more, stream }))
      const { model: _model, stream: _stream, options, truncate, shift, ...sent } = near.calls().at(-2)!.json!
      const { keep_alive: _, ...kept } = { keep_alive: 0, ...more }
      assert.deepEqual([sent, truncate, shift, (options as { min_p: number }).min_p], [kept, false, false, 0.05])
    }
  }
  near.next({ text: ['half'], misbehaves: { kind: 'error', after: 1, message: 'out of memory' } })
  const lines = (await post(local.address, 'near/near:latest')).trim().split('\n').map((line) => JSON.parse(line) as { error?: string })
  assert.deepEqual(lines.map(({ error }) => error), [undefined, 'out of memory'])
  near.next({ text: ['half'], misbehaves: { kind: 'cut', after: 1 } })
  const broken = (await post(local.address, 'near/near:latest')).trim().split('\n').map((line) => JSON.parse(line) as { error?: string })
  assert.match(broken.at(-1)!.error!, /ended its answer before it was done/)
})

test('an upstream that takes no more calls is told with the wait', async () => {
  const { key } = await openRun(database, 'open')
  far.answer((request) => (request.json?.['model'] === 'busy' ? { misbehaves: { kind: 'status', status: 429, retryAfter: 7 } } : { text: ['Good morning.'] }))
  const answered = await fetch(`${cloud.address}/api/chat`, { method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' }, body: JSON.stringify({ model: 'far/busy', messages }) })
  assert.deepEqual([answered.status, answered.headers.get('retry-after')], [429, '7'])
  assert.match(((await answered.json()) as { error: string }).error, /takes no more calls/)
})
