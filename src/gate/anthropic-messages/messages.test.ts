import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import { closedCallsOf, gateDatabase, openRun, startGate } from '../../../test/support/gate.ts'
import { startModelServer } from '../../../test/support/model-server.ts'

after(async () => {
  await Promise.all([local.stop(), cloud.stop()])
  await Promise.all([near.close(), far.close()])
})
const near = await startModelServer({ models: [{ name: 'near:latest', capabilities: ['completion', 'tools', 'thinking'] }] })
const far = await startModelServer({ models: [{ name: 'far' }] })
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
  { gate: local, lane: 'private', model: 'near/near:latest', server: near },
  { gate: cloud, lane: 'open', model: 'far/far', server: far },
] as const
const clientOf = (gate: { address: string }, key: string) => new Anthropic({ baseURL: gate.address, apiKey: key, maxRetries: 0 })
const weather = { name: 'weather', description: 'The weather of a place', input_schema: { type: 'object' as const, properties: { place: { type: 'string' } } } }

for (const { gate, lane, model, server } of sides) {
  const asked = { model, max_tokens: 100, system: 'Be brief', messages: [{ role: 'user' as const, content: 'Hello' }] }

  test(`${model}: the official client gets a message, whole and streamed, and the ledger its tokens`, async () => {
    const { key, run } = await openRun(database, lane)
    for (const stream of [false, true]) {
      server.next({ text: ['Good ', 'morning'], usage: { input: 11, output: 3 } })
      const client = clientOf(gate, key)
      const message = stream ? await client.messages.stream(asked).finalMessage() : await client.messages.create(asked)
      assert.deepEqual(message.content, [{ type: 'text', text: 'Good morning' }])
      assert.deepEqual([message.stop_reason, message.role, message.model, message.usage.input_tokens, message.usage.output_tokens], ['end_turn', 'assistant', model, 11, 3])
    }
    const sent = server.calls().at(-1)!.json!['messages'] as { role: string; content: string }[]
    assert.deepEqual(sent.map(({ role, content }) => [role, content]), [['system', 'Be brief'], ['user', 'Hello']])
    assert.deepEqual((await closedCallsOf(database, run)).map((row) => [row.state, row.input_tokens, row.output_tokens]), [['succeeded', 11, 3], ['succeeded', 11, 3]])
  })

  test(`${model}: tools are called, streamed and whole, and their results are read`, async () => {
    const { key } = await openRun(database, lane)
    const client = clientOf(gate, key)
    for (const stream of [false, true]) {
      server.next({ thinking: ['Hm'], text: ['I shall look.'], toolCalls: [{ name: 'weather', arguments: { place: 'Köln' } }, { name: 'weather', arguments: { place: 'Graz' } }] })
      const body = { ...asked, tools: [weather], tool_choice: { type: 'any' as const } }
      const message = stream ? await client.messages.stream(body).finalMessage() : await client.messages.create(body)
      const calls = message.content.filter((block) => block.type === 'tool_use')
      assert.deepEqual(calls.map(({ name, input }) => [name, input]), [['weather', { place: 'Köln' }], ['weather', { place: 'Graz' }]])
      assert.deepEqual([message.stop_reason, message.content[0]?.type], ['tool_use', 'thinking'])
      server.next({ text: ['Rain, and sun.'] })
      const second = await client.messages.create({
        ...asked, tools: [weather],
        messages: [
          ...asked.messages,
          { role: 'assistant', content: message.content },
          { role: 'user', content: [...calls.map(({ id }, index) => ({ type: 'tool_result' as const, tool_use_id: id, content: [{ type: 'text' as const, text: `weather ${index}` }], is_error: index === 1 })), { type: 'text', text: 'And?' }] },
        ],
      })
      assert.deepEqual(second.content, [{ type: 'text', text: 'Rain, and sun.' }])
      const roles = (server.calls().at(-1)!.json!['messages'] as { role: string }[]).map(({ role }) => role)
      assert.deepEqual(roles, ['system', 'user', 'assistant', 'tool', 'tool', 'user'])
    }
  })

  test(`${model}: what goes wrong is told in the shape that the client reads`, async () => {
    const { key } = await openRun(database, lane)
    await assert.rejects(clientOf(gate, 'nobody').messages.create(asked), Anthropic.AuthenticationError)
    await assert.rejects(clientOf(gate, key).messages.create({ ...asked, model: 'nowhere/none' }), Anthropic.NotFoundError)
    await assert.rejects(clientOf(gate, key).messages.create({ ...asked, messages: [] }), (error) => error instanceof Anthropic.BadRequestError && /messages must be a list/.test(error.message))
    server.next({ misbehaves: { kind: 'status', status: 429, retryAfter: 7 } })
    await assert.rejects(clientOf(gate, key).messages.create(asked), (error) => error instanceof Anthropic.RateLimitError && error.headers.get('retry-after') === '7')
    gate.forget()
    server.next({ text: ['half an '], misbehaves: { kind: 'die', after: 1 } })
    await assert.rejects(clientOf(gate, key).messages.stream(asked).finalMessage(), Anthropic.APIError)
  })
}

test('a request as Claude Code sends it is answered: a hundred kilobytes, cache marks, thinking, fields that nobody knows', async () => {
  const { key } = await openRun(database, 'private')
  assert.equal((await fetch(local.address, { method: 'HEAD' })).status, 200)
  const body = {
    model: 'auto', max_tokens: 32_000, stream: true, metadata: { user_id: 'user_x' }, thinking: { type: 'enabled', budget_tokens: 10_000 }, context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] },
    output_config: { effort: 'high' }, anything: { new: true },
    system: [{ type: 'text', text: 'You are a coder.', cache_control: { type: 'ephemeral' } }, { type: 'text', text: 'x'.repeat(60_000) }],
    tools: [{ ...weather, cache_control: { type: 'ephemeral' } }, { type: 'custom', name: 'Bash', description: 'y'.repeat(40_000), input_schema: { type: 'object', properties: {} } }],
    messages: [
      { role: 'user', content: [{ type: 'text', text: 'Hi', cache_control: { type: 'ephemeral' } }] },
      { role: 'assistant', content: [{ type: 'thinking', thinking: 'Let me see', signature: 'abc' }, { type: 'redacted_thinking', data: 'zzz' }, { type: 'tool_use', id: 'toolu_1', name: 'Bash', input: { command: 'ls' } }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1' }] },
    ],
  }
  near.next({ thinking: ['So'], text: ['done'] })
  const response = await fetch(`${local.address}/v1/messages?beta=true`, {
    method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', 'anthropic-version': '2023-06-01', 'anthropic-beta': 'claude-code-20250219' }, body: JSON.stringify(body),
  })
  const text = await response.text()
  assert.equal(response.status, 200, text)
  const types = [...text.matchAll(/^event: (\w+)$/gm)].map(([, type]) => type)
  assert.deepEqual(types, ['message_start', 'content_block_start', 'content_block_delta', 'content_block_stop', 'content_block_start', 'content_block_delta', 'content_block_stop', 'message_delta', 'message_stop'])
})

test('an upstream of the same wire is sent the request as it is, and the client reads its own words', async () => {
  const { key, run } = await openRun(database, 'open')
  const asked = { model: 'claude/far', max_tokens: 100, system: [{ type: 'text' as const, text: 'S', cache_control: { type: 'ephemeral' as const } }], messages: [{ role: 'user' as const, content: 'Hello' }] }
  for (const stream of [false, true]) {
    far.next({ thinking: ['Hm'], text: ['As ', 'it came'], usage: { input: 5, output: 4 } })
    const client = clientOf(cloud, key)
    const message = stream ? await client.messages.stream(asked).finalMessage() : await client.messages.create(asked)
    assert.deepEqual([message.id, message.content.at(-1)], ['msg_script', { type: 'text', text: 'As it came' }])
    assert.deepEqual([far.calls().at(-1)!.path, far.calls().at(-1)!.json!['system'], far.calls().at(-1)!.json!['model']], ['/v1/messages', asked.system, 'far'])
  }
  assert.deepEqual((await closedCallsOf(database, run)).map((row) => [row.upstream, row.state, row.input_tokens, row.output_tokens]), [['claude', 'succeeded', 5, 4], ['claude', 'succeeded', 5, 4]])
})

test('models are listed in the shape that the client reads, and told one by one, errors too', async () => {
  const { key } = await openRun(database, 'private')
  const client = clientOf(local, key)
  const names: string[] = []
  for await (const model of client.models.list()) names.push(model.id)
  assert.deepEqual(names, ['auto', 'near/near:latest'])
  const { type, id, display_name: shown } = await client.models.retrieve('near/near:latest')
  assert.deepEqual([type, id, shown], ['model', 'near/near:latest', 'near/near:latest'])
  await assert.rejects(client.models.retrieve('far/far'), (error) => error instanceof Anthropic.NotFoundError && (error.error as { type: string }).type === 'error')
  await assert.rejects(clientOf(local, 'nobody').models.list(), (error) => error instanceof Anthropic.AuthenticationError && (error.error as { type: string }).type === 'error')
})

test('nothing is asked of a provider beside the model: its tools, its machines, addresses to fetch', async () => {
  const { key } = await openRun(database, 'private')
  const asked = near.calls().length
  const base = { model: 'auto', max_tokens: 10, messages: [{ role: 'user', content: 'Hello' }] }
  for (const more of [
    { tools: [{ type: 'web_search_20250305', name: 'web_search' }] }, { tools: [{ type: 'computer_20250124', name: 'computer' }] }, { mcp_servers: [{ type: 'url', url: 'https://x.example', name: 'x' }] }, { container: 'c' },
    { messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'url', url: 'https://x.example/a.png' } }] }] }, { messages: [{ role: 'user', content: [{ type: 'document', source: {} }] }] },
  ]) {
    const response = await fetch(`${local.address}/v1/messages`, { method: 'POST', headers: { 'x-api-key': key, 'content-type': 'application/json' }, body: JSON.stringify({ ...base, ...more }) })
    assert.deepEqual([response.status, ((await response.json()) as { type: string }).type], [400, 'error'], JSON.stringify(more))
  }
  assert.equal(near.calls().length, asked)
})
