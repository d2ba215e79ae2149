import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createAnthropic } from '@ai-sdk/anthropic'
import { createGoogle } from '@ai-sdk/google'
import { createOpenAI } from '@ai-sdk/openai'
import { APICallError, embedMany, generateText, isStepCount, Output, streamText, tool, type LanguageModel } from 'ai'
import { z } from 'zod'
import { closedCallsOf, gateDatabase, openRun, startGate } from '../../test/support/gate.ts'
import { startModelServer, type LoggedRequest } from '../../test/support/model-server.ts'
import { vectorOf } from '../../test/support/model-wire-embed.ts'

after(async () => {
  await Promise.all([local.stop(), cloud.stop()])
  await server.close()
})
const server = await startModelServer({ models: [{ name: 'it:latest', capabilities: ['completion', 'tools', 'thinking'] }, { name: 'embed-it:latest' }] })
const database = await gateDatabase(['ollama', 'chat', 'responses', 'claude', 'gemini'])
const local = await startGate(database, 'gate-local', { upstreams: [{ name: 'ollama', kind: 'ollama', url: server.url, zone: 'machine' }] })
const cloud = await startGate(database, 'gate-cloud', {
  upstreams: [
    { name: 'chat', kind: 'openai', url: `${server.url}/v1`, zone: 'cloud' },
    { name: 'responses', kind: 'openai-responses', url: `${server.url}/v1`, zone: 'cloud' },
    { name: 'claude', kind: 'anthropic', url: `${server.url}/v1`, zone: 'cloud' },
    { name: 'gemini', kind: 'gemini', url: `${server.url}/v1beta`, zone: 'cloud' },
  ],
})

/** The providers of the SDK, each with the wire that it speaks. */
const providers: Readonly<Record<string, (baseURL: string, apiKey: string, model: string) => LanguageModel>> = {
  'openai chat': (baseURL, apiKey, model) => createOpenAI({ baseURL, apiKey }).chat(model),
  'openai responses': (baseURL, apiKey, model) => createOpenAI({ baseURL, apiKey }).responses(model),
  anthropic: (baseURL, apiKey, model) => createAnthropic({ baseURL, apiKey })(model),
  google: (baseURL, apiKey, model) => createGoogle({ baseURL: `${baseURL}beta`, apiKey })(model),
}
const ways = [
  { gate: local, lane: 'private', upstream: 'ollama' },
  { gate: cloud, lane: 'open', upstream: 'chat' },
  { gate: cloud, lane: 'open', upstream: 'responses' },
  { gate: cloud, lane: 'open', upstream: 'claude' },
  { gate: cloud, lane: 'open', upstream: 'gemini' },
] as const

/** Does the model see this among what it is sent? */
const sees = ({ body }: LoggedRequest, text: string) => body.toString().includes(text)
const weather = tool({ description: 'The weather of a place', inputSchema: z.object({ place: z.string() }), execute: async ({ place }) => `rain in ${place}` })
/** Without the first the client sends items by reference, to a store that is not there; without the second it is shown no thoughts. */
const providerOptions = { openai: { store: false }, google: { thinkingConfig: { includeThoughts: true } } }
const png = Buffer.from('iVBORw0KGgoAAAANSUhEUg==', 'base64')

for (const [provider, open] of Object.entries(providers)) {
  for (const { gate, lane, upstream } of ways) {
    const title = `${provider} to ${upstream}`
    const modelFor = async () => {
      const { key, run } = await openRun(database, lane)
      return { run, model: open(`${gate.address}/v1`, key, `${upstream}/it:latest`) }
    }

    test(`${title}: text, whole and streamed, with its thoughts and its usage`, async () => {
      const { model, run } = await modelFor()
      const said = { thinking: ['Hm, ', 'so'], text: ['Grüße, ', '🦊'], usage: { input: 11, output: 13 } }
      server.next(said, said)
      const whole = await generateText({ model, instructions: 'Be brief', prompt: 'Hello', maxOutputTokens: 4_000, maxRetries: 0, providerOptions })
      assert.deepEqual([whole.text, whole.finishReason, whole.usage.inputTokens, whole.usage.outputTokens], ['Grüße, 🦊', 'stop', 11, 13])
      assert.ok(sees(server.calls().at(-1)!, 'Be brief'))
      const streamed = streamText({ model, prompt: 'Hello', maxRetries: 0, providerOptions })
      const pieces: string[] = []
      for await (const piece of streamed.textStream) pieces.push(piece)
      assert.deepEqual([pieces, await streamed.finishReason, (await streamed.usage).outputTokens], [['Grüße, ', '🦊'], 'stop', 13])
      // OpenAI's chat has no place for thoughts that this client would look at
      if (provider !== 'openai chat') assert.deepEqual([whole.reasoningText, await streamed.reasoningText], ['Hm, so', 'Hm, so'])
      assert.deepEqual((await closedCallsOf(database, run)).map((row) => [row.state, row.input_tokens, row.output_tokens]), [['succeeded', 11, 13], ['succeeded', 11, 13]])
    })

    for (const isStreamed of [false, true]) {
      test(`${title}: tools are run and their results go back, ${isStreamed ? 'streamed' : 'whole'}`, async () => {
        const { model } = await modelFor()
        server.next({ thinking: ['Let me see'], text: ['I shall look.'], toolCalls: [{ name: 'weather', arguments: { place: 'Köln' } }, { name: 'weather', arguments: { place: 'Graz' } }] }, (request) => ({ text: [sees(request, 'rain in Köln') && sees(request, 'rain in Graz') ? 'It rains.' : 'What?'] }))
        const asked = { model, prompt: 'And the weather?', tools: { weather }, stopWhen: isStepCount(3), maxRetries: 0, providerOptions }
        const answer = isStreamed ? streamText(asked) : await generateText(asked)
        const steps = await answer.steps
        assert.deepEqual([await answer.text, steps.map(({ finishReason }) => finishReason)], ['It rains.', ['tool-calls', 'stop']])
        assert.deepEqual(steps[0]!.toolCalls.map(({ toolName, input }) => [toolName, input]), [['weather', { place: 'Köln' }], ['weather', { place: 'Graz' }]])
      })
    }

    test(`${title}: an object by its schema, and an image`, async () => {
      const { model } = await modelFor()
      // without a word of its own for schemas, a client offers a tool that takes the object
      server.next((request) => (sees(request, '"name":"json"') ? { toolCalls: [{ name: 'json', arguments: { city: 'Graz' } }] } : { text: ['{"city":', '"Graz"}'] }))
      const { output } = await generateText({
        model, output: Output.object({ schema: z.object({ city: z.string() }) }), maxRetries: 0,
        messages: [{ role: 'user', content: [{ type: 'text', text: 'Which city?' }, { type: 'file', mediaType: 'image/png', data: png }] }],
      })
      assert.deepEqual(output, { city: 'Graz' })
      for (const found of ['"city"', png.toString('base64')]) assert.ok(sees(server.calls().at(-1)!, found), found)
    })

    test(`${title}: errors are ones that it understands, before an answer and in the middle of one`, async () => {
      const { model } = await modelFor()
      server.next({ misbehaves: { kind: 'status', status: 400, message: 'too long for me' } })
      await assert.rejects(generateText({ model, prompt: 'Hello', maxRetries: 0 }), (error) => {
        assert.ok(APICallError.isInstance(error), String(error))
        assert.deepEqual([error.statusCode, error.isRetryable], [400, false])
        assert.match(error.message, /too long for me/)
        return true
      })
      server.next({ text: ['half an ', 'answer'], misbehaves: { kind: 'cut', after: 1 } })
      const heard: unknown[] = []
      const broken = streamText({ model, prompt: 'Hello', maxRetries: 0, onError: ({ error }) => void heard.push(error) })
      await broken.consumeStream()
      assert.equal(heard.length, 1)
      assert.notEqual(await Promise.resolve(broken.finishReason).catch(() => 'rejected'), 'stop')
    })
  }
}

test('a client of responses that counts on a store is told how to do without', async () => {
  const { key } = await openRun(database, 'private')
  server.next({ text: ['I shall look.'], toolCalls: [{ name: 'weather', arguments: { place: 'Köln' } }] })
  const asked = { model: providers['openai responses']!(`${local.address}/v1`, key, 'ollama/it:latest'), prompt: 'And the weather?', tools: { weather }, stopWhen: isStepCount(3), maxRetries: 0 }
  await assert.rejects(generateText(asked), /item_reference is not served: nothing is stored .*store: false/)
})

for (const [gate, lane, upstream] of [[local, 'private', 'ollama'], [cloud, 'open', 'chat'], [cloud, 'open', 'gemini']] as const) {
  test(`vectors by ${upstream} come back in the order of their texts`, async () => {
    const { key } = await openRun(database, lane)
    const name = `${upstream}/embed-it:latest`
    const models = [createOpenAI({ baseURL: `${gate.address}/v1`, apiKey: key }).embedding(name), createGoogle({ baseURL: `${gate.address}/v1beta`, apiKey: key }).embedding(name)]
    for (const model of models) {
      const { embeddings } = await embedMany({ model, values: ['Grüße', 'b'], maxRetries: 0 })
      assert.deepEqual(embeddings, ['Grüße', 'b'].map((text) => vectorOf(text)))
    }
  })
}
