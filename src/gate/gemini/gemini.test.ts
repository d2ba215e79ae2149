import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { ApiError, FunctionCallingConfigMode, GoogleGenAI, Type, type GenerateContentParameters, type GenerateContentResponse } from '@google/genai'
import { closedCallsOf, gateDatabase, openRun, startGate } from '../../../test/support/gate.ts'
import { startModelServer } from '../../../test/support/model-server.ts'
import { vectorOf } from '../../../test/support/model-wire-embed.ts'

after(async () => {
  await Promise.all([local.stop(), cloud.stop()])
  await Promise.all([near.close(), far.close()])
})
const near = await startModelServer({ models: [{ name: 'near:latest', capabilities: ['completion', 'tools', 'thinking'] }, { name: 'embed-it:latest' }] })
const far = await startModelServer({ models: [{ name: 'far' }, { name: 'embed-it' }] })
const database = await gateDatabase(['near', 'far', 'google'])
const models = {
  upstreams: [
    { name: 'near', kind: 'ollama', url: near.url, zone: 'machine' },
    { name: 'far', kind: 'openai', url: `${far.url}/v1`, zone: 'cloud' },
    { name: 'google', kind: 'gemini', url: `${far.url}/v1beta`, zone: 'cloud' },
  ],
  routes: { talk: [{ upstream: 'near', model: 'near:latest' }] },
} as const
const [local, cloud] = [await startGate(database, 'gate-local', models), await startGate(database, 'gate-cloud', models)]
const sides = [
  { gate: local, lane: 'private', model: 'near/near:latest', server: near },
  { gate: cloud, lane: 'open', model: 'far/far', server: far },
  { gate: cloud, lane: 'open', model: 'google/far', server: far },
] as const
const clientOf = (gate: { address: string }, apiKey: string) => new GoogleGenAI({ apiKey, httpOptions: { baseUrl: gate.address } })
const weather = { name: 'weather', description: 'The weather of a place', parameters: { type: Type.OBJECT, properties: { place: { type: Type.STRING, nullable: true } }, required: ['place'] } }
const hello = [{ role: 'user', parts: [{ text: 'Hello' }] }]

/** A streamed answer as one. */
async function streamed(client: GoogleGenAI, asked: GenerateContentParameters): Promise<{ text: string; last: GenerateContentResponse; parts: object[] }> {
  let last: GenerateContentResponse | undefined
  let text = ''
  const parts: object[] = []
  for await (const chunk of await client.models.generateContentStream(asked)) {
    last = chunk
    text += (chunk.candidates?.[0]?.content?.parts ?? []).map((part) => (part.thought ? '' : part.text ?? '')).join('')
    parts.push(...(chunk.candidates?.[0]?.content?.parts ?? []))
  }
  return { text, last: last!, parts }
}

for (const { gate, lane, model, server } of sides) {
  test(`${model}: the official client gets an answer, whole and streamed, and the ledger its tokens`, async () => {
    const { key, run } = await openRun(database, lane)
    const client = clientOf(gate, key)
    const asked = { model, contents: 'Hello', config: { systemInstruction: 'Be brief', maxOutputTokens: 100, temperature: 0.5, stopSequences: ['.'] } }
    server.next({ text: ['Good ', 'morning'], usage: { input: 11, output: 3 } })
    const whole = await client.models.generateContent(asked)
    assert.deepEqual([whole.text, whole.candidates?.[0]?.finishReason, whole.usageMetadata?.promptTokenCount, whole.usageMetadata?.candidatesTokenCount], ['Good morning', 'STOP', 11, 3])
    server.next({ text: ['Good ', 'morning'], usage: { input: 11, output: 3 }, finish: 'length', quirks: ['in-small-pieces'] })
    const { text, last } = await streamed(client, asked)
    assert.deepEqual([text, last.candidates?.[0]?.finishReason, last.usageMetadata?.totalTokenCount], ['Good morning', 'MAX_TOKENS', 14])
    assert.match(server.calls().at(-1)!.body.toString(), /Be brief/)
    assert.deepEqual((await closedCallsOf(database, run)).map((row) => [row.state, row.input_tokens, row.output_tokens]), [['succeeded', 11, 3], ['succeeded', 11, 3]])
  })

  test(`${model}: functions are called, whole and streamed, and their results are read`, async () => {
    const { key } = await openRun(database, lane)
    const client = clientOf(gate, key)
    const config = { tools: [{ functionDeclarations: [weather] }], toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.ANY } }, thinkingConfig: { includeThoughts: true, thinkingBudget: 2_000 } }
    for (const stream of [false, true]) {
      server.next({ thinking: ['Hm'], text: ['I shall look.'], toolCalls: [{ name: 'weather', arguments: { place: 'Köln' } }, { name: 'weather', arguments: { place: 'Graz' } }] })
      const asked = { model, contents: hello, config }
      const parts = stream ? (await streamed(client, asked)).parts : (await client.models.generateContent(asked)).candidates![0]!.content!.parts!
      const made = parts.flatMap((part) => ('functionCall' in part ? [part.functionCall as { id?: string; name: string; args: object }] : []))
      assert.deepEqual(made.map(({ name, args }) => [name, args]), [['weather', { place: 'Köln' }], ['weather', { place: 'Graz' }]])
      assert.ok(parts.some((part) => 'thought' in part && part.thought))
      server.next({ text: ['Rain, and sun.'] })
      const answers = made.map(({ id, name }, index) => ({ functionResponse: { ...(id && { id }), name, response: index === 1 ? { error: 'away' } : { output: `weather ${index}` } } }))
      const second = await client.models.generateContent({ model, config, contents: [...hello, { role: 'model', parts }, { role: 'user', parts: [...answers, { text: 'And?' }] }] })
      assert.equal(second.text, 'Rain, and sun.')
      const { messages, contents } = server.calls().at(-1)!.json! as { messages?: { role: string; content: string; tool_call_id?: string }[]; contents?: { role: string; parts: object[] }[] }
      if (messages) assert.deepEqual(messages.map(({ role, content }) => [role, role === 'tool' ? content : '']), [['user', ''], ['assistant', ''], ['tool', 'weather 0'], ['tool', 'away'], ['user', '']])
      else assert.deepEqual(contents!.map(({ role }) => role), ['user', 'model', 'user'])
    }
    const offered = JSON.stringify(server.calls().at(-1)!.json!['tools'])
    // a schema of Google's is made one that all others read
    assert.match(offered, model === 'google/far' ? /"type":"OBJECT"/ : /"parameters":\{"type":"object","required":\["place"\],"properties":\{"place":\{"type":\["string","null"\]\}\}\}/)
  })

  test(`${model}: an answer has the schema that was asked for`, async () => {
    const { key } = await openRun(database, lane)
    const schemas = [{ responseJsonSchema: { type: 'object', properties: { city: { type: 'string' } } } }, { responseSchema: { type: Type.OBJECT, properties: { city: { type: Type.STRING } } } }]
    for (const schema of schemas) {
      server.next({ text: ['{"city":', '"Wien"}'] })
      const { text } = await clientOf(gate, key).models.generateContent({ model, contents: hello, config: { responseMimeType: 'application/json', ...schema } })
      assert.deepEqual(JSON.parse(text!), { city: 'Wien' })
      assert.match(server.calls().at(-1)!.body.toString(), /"properties":\{"city":\{"type":"(string|STRING)"/)
    }
  })

  test(`${model}: what goes wrong is told in the shape that the client reads`, async () => {
    const { key } = await openRun(database, lane)
    const client = clientOf(gate, key)
    const fails = (asked: Promise<unknown>, status: number, words: RegExp) => assert.rejects(asked, (error: ApiError) => error instanceof ApiError && error.status === status && words.test(error.message))
    await fails(clientOf(gate, 'nobody').models.generateContent({ model, contents: hello }), 401, /UNAUTHENTICATED.*session_unknown/)
    await fails(client.models.generateContent({ model: 'nowhere/none', contents: hello }), 404, /NOT_FOUND.*model_not_found/)
    await fails(client.models.generateContent({ model, contents: hello, config: { temperature: 9 } }), 400, /INVALID_ARGUMENT.*generationConfig\.temperature/)
    server.next({ misbehaves: { kind: 'status', status: 429, retryAfter: 7 } })
    await fails(client.models.generateContent({ model, contents: hello }), 429, /RESOURCE_EXHAUSTED.*"retryDelay":"7s"/)
    gate.forget()
    server.next({ text: ['half an '], misbehaves: { kind: 'die', after: 1 } })
    await assert.rejects(streamed(client, { model, contents: hello }), ApiError)
  })
}

test('an upstream of the same wire is sent what is known of the request, and the client reads its bytes', async () => {
  const { key, run } = await openRun(database, 'open')
  const contents = [{ role: 'user', parts: [{ text: 'Hello' }] }, { role: 'model', parts: [{ functionCall: { name: 'f', args: { snake_case: 1 } }, thought_signature: 'c2ln' }] }, { parts: [{ function_response: { name: 'f', response: { its_own: { odd: true } } } }] }]
  const body = { labels: { a: 'b' }, safety_settings: [{ category: 'HARM', threshold: 'OFF', method: 'x' }], contents, generation_config: { top_p: 0.5, audioTimestamp: true }, store: true }
  const post = async (url: string, sent: string) => {
    const response = await fetch(url, { method: 'POST', headers: { 'x-goog-api-key': key, 'content-type': 'application/json' }, body: sent })
    return [response.status, await response.text()]
  }
  for (const method of ['generateContent', 'streamGenerateContent?alt=sse']) {
    far.answer({ thinking: ['Hm'], text: ['Grüße, ', '🦊'], toolCalls: [{ name: 'find', arguments: { word: 'ü' } }], usage: { input: 21, output: 9 } })
    const direct = await post(`${far.url}/v1beta/models/far:${method}`, JSON.stringify(body))
    assert.deepEqual(await post(`${cloud.address}/v1beta/models/google/far:${method}`, JSON.stringify(body)), direct)
    assert.deepEqual(far.calls().at(-1)!.json, {
      safetySettings: [{ category: 'HARM', threshold: 'OFF' }],
      contents: [contents[0], { role: 'model', parts: [{ functionCall: { name: 'f', args: { snake_case: 1 } }, thoughtSignature: 'c2ln' }] }, { parts: [{ functionResponse: { name: 'f', response: { its_own: { odd: true } } } }] }],
      generationConfig: { topP: 0.5 },
    })
  }
  assert.deepEqual((await closedCallsOf(database, run)).map((row) => [row.upstream, row.state, row.input_tokens, row.output_tokens]), [['google', 'succeeded', 21, 9], ['google', 'succeeded', 21, 9]])
})

test('a model is reached by its name with a slash, by a task and by auto, as clients write them in the path', async () => {
  const { key } = await openRun(database, 'private')
  const post = async (path: string) => {
    const response = await fetch(`${local.address}/v1beta/${path}`, { method: 'POST', headers: { 'x-goog-api-key': key, 'content-type': 'application/json' }, body: JSON.stringify({ contents: hello }) })
    return [response.status, ((await response.json()) as { modelVersion?: string }).modelVersion]
  }
  for (const name of ['models/near/near:latest', 'models/near%2Fnear%3Alatest', 'near/near:latest', 'models/near:latest', 'models/near', 'models/task:talk', 'models/task%3Atalk', 'models/auto']) {
    assert.deepEqual(await post(`${name}:generateContent`), [200, 'near/near:latest'], name)
  }
  for (const name of ['models/auto:predict', 'models/auto', 'models/near/near:latest', 'models/:generateContent', 'models/auto:constructor']) assert.ok([400, 404].includes((await post(name))[0] as number), name)
})

test('models are listed and told one by one, as far as the key reaches them', async () => {
  const { key } = await openRun(database, 'private')
  const names: (string | undefined)[] = []
  for await (const model of await clientOf(local, key).models.list()) names.push(model.name)
  assert.deepEqual(names, ['models/auto', 'models/near/near:latest'])
  assert.equal((await clientOf(local, key).models.get({ model: 'near/near:latest' })).displayName, 'near/near:latest')
  await assert.rejects(clientOf(local, key).models.get({ model: 'far/far' }), (error: ApiError) => error.status === 404)
})

test('without alt=sse a stream is one list of JSON, translated and passed, also when it breaks off', async () => {
  for (const { gate, lane, model, server } of sides) {
    const { key } = await openRun(database, lane)
    const ask = async () => {
      const response = await fetch(`${gate.address}/v1beta/models/${model}:streamGenerateContent`, { method: 'POST', headers: { 'x-goog-api-key': key, 'content-type': 'application/json' }, body: JSON.stringify({ contents: hello }) })
      assert.match(response.headers.get('content-type')!, /^application\/json/)
      return (await response.json()) as { error?: { status: string }; candidates?: { content: { parts: { text: string }[] } }[] }[]
    }
    server.next({ text: ['Grüße ', '🦊'], quirks: ['in-small-pieces'] })
    assert.equal((await ask()).map(({ candidates }) => candidates![0]!.content.parts[0]!.text).join(''), 'Grüße 🦊', model)
    server.next({ text: ['half'], misbehaves: { kind: 'error', after: 1, message: 'out of memory' } })
    assert.deepEqual((await ask()).map(({ error }) => error?.status), [undefined, 'UNAVAILABLE'], model)
  }
})

test('vectors are made of one text and of many, near and far', async () => {
  for (const [gate, lane, model] of [[local, 'private', 'near/embed-it:latest'], [cloud, 'open', 'google/embed-it']] as const) {
    const { key, run } = await openRun(database, lane)
    const client = clientOf(gate, key)
    const { embeddings } = await client.models.embedContent({ model, contents: ['Grüße', 'b'], config: { outputDimensionality: 2 } })
    assert.deepEqual(embeddings?.map(({ values }) => values), [vectorOf('Grüße', 2), vectorOf('b', 2)])
    const one = await fetch(`${gate.address}/v1beta/models/${model}:embedContent`, { method: 'POST', headers: { 'x-goog-api-key': key, 'content-type': 'application/json' }, body: JSON.stringify({ content: { parts: [{ text: 'b' }] } }) })
    assert.deepEqual(await one.json(), { embedding: { values: vectorOf('b') } })
    await assert.rejects(client.models.embedContent({ model, contents: ['a'], config: { taskType: 'RETRIEVAL_QUERY' } }), (error: ApiError) => error.status === 400 && /taskType/.test(error.message))
    assert.deepEqual((await closedCallsOf(database, run)).map(({ task, state }) => [task, state]), [['embed', 'succeeded'], ['embed', 'succeeded']])
  }
})

test('nothing is asked of a provider beside the model, by whichever name a field has: its tools, files, addresses, caches', async () => {
  const { key } = await openRun(database, 'open')
  const asked = far.requests.length
  const parts = (part: object) => ({ contents: [{ role: 'user', parts: [part] }] })
  const cases: readonly [object, string][] = [
    [{ tools: [{ googleSearch: {} }] }, 'tools[0].googleSearch'], [{ tools: [{ google_search: {} }] }, 'tools[0].googleSearch'], [{ tools: [{ functionDeclarations: [weather], code_execution: {} }] }, 'tools[0].codeExecution'],
    [{ tools: [{ urlContext: {} }] }, 'tools[0].urlContext'], [{ tools: [{ mcp_servers: [] }] }, 'tools[0].mcpServers'], [{ cachedContent: 'cachedContents/1' }, 'cachedContent'], [{ cached_content: 'cachedContents/1' }, 'cachedContent'],
    [parts({ fileData: { fileUri: 'https://x.example/a' } }), 'contents[0].parts[0].fileData'], [parts({ text: 'x', file_data: { file_uri: 'x' } }), 'contents[0].parts[0].fileData'],
    [parts({ executableCode: { code: 'x' } }), 'contents[0].parts[0].executableCode'], [parts({ inlineData: { mimeType: 'application/pdf', data: 'AAAA' } }), 'contents[0].parts[0].inlineData.mimeType'],
    [{ system_instruction: { parts: [{ text: 'A' }] }, systemInstruction: { parts: [{ text: 'B' }] } }, 'systemInstruction'], [{ generationConfig: { candidateCount: 2 } }, 'generationConfig.candidateCount'],
    [{ generation_config: { response_modalities: ['TEXT', 'IMAGE'] } }, 'generationConfig.responseModalities'], [{ generationConfig: { responseMimeType: 'text/x.enum' } }, 'generationConfig.responseMimeType'],
    [{ contents: [{ role: 'system', parts: [] }] }, 'contents[0].role'], [{ contents: [] }, 'contents'], [{ contents: undefined }, 'contents'],
  ]
  for (const [more, field] of cases) {
    const response = await fetch(`${cloud.address}/v1beta/models/google/far:generateContent`, { method: 'POST', headers: { 'x-goog-api-key': key, 'content-type': 'application/json' }, body: JSON.stringify({ contents: hello, ...more }) })
    const { error } = (await response.json()) as { error: { code: number; details: { fieldViolations?: { field: string }[] }[] } }
    assert.deepEqual([response.status, error.code, error.details[1]?.fieldViolations?.[0]?.field], [400, 400, field], JSON.stringify(more))
  }
  assert.equal(far.requests.length, asked)
})

test('a key in the address is refused in the shape of the wire, although a good one stands in the header', async () => {
  const { key } = await openRun(database, 'open')
  const response = await fetch(`${cloud.address}/v1beta/models/auto:generateContent?key=${key}`, { method: 'POST', headers: { 'x-goog-api-key': key, 'content-type': 'application/json' }, body: JSON.stringify({ contents: hello }) })
  assert.deepEqual([response.status, ((await response.json()) as { error: { status: string } }).error.status], [401, 'UNAUTHENTICATED'])
})
