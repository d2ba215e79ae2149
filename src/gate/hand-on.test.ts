import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { Ollama } from 'ollama'
import OpenAI from 'openai'
import { closedCallsOf, gateBoot, gateDatabase, openRun, startFrom } from '../../test/support/gate.ts'
import { startModelServer } from '../../test/support/model-server.ts'
import { hashOfBody, hashOfKey } from '../models/index.ts'

after(async () => {
  await Promise.all([local.stop(), cloud.stop()])
  await Promise.all([near.close(), far.close()])
  await Promise.all([localBoot.remove(), cloudBoot.remove()])
})
const near = await startModelServer({ models: [{ name: 'near:latest' }] })
const far = await startModelServer({ models: [{ name: 'far' }] })
const database = await gateDatabase(['near', 'far'])
const models = {
  upstreams: [
    { name: 'near', kind: 'ollama', url: near.url, zone: 'machine' },
    { name: 'far', kind: 'openai', url: `${far.url}/v1`, zone: 'cloud' },
  ],
  dictionary: [{ kind: 'client', words: ['Museum am Ufer'] }],
  routes: { default: [{ upstream: 'near', model: 'auto' }, { upstream: 'far', model: 'far' }], reason: [{ upstream: 'far', model: 'far' }] },
} as const
const cloudBoot = await gateBoot(database, 'gate-cloud', models)
const cloud = await startFrom(cloudBoot.boot)
const localBoot = await gateBoot(database, 'gate-local', models)
const local = await startFrom({ ...localBoot.boot, sockets: { ...localBoot.boot.sockets, gateCloud: cloud.socket } })

const letRedact = (...lanes: string[]) => database.owner.pool.query('update lane set redacts = name = any ($1)', [lanes])
const clientOf = (key: string, address = local.address) => new OpenAI({ baseURL: `${address}/v1`, apiKey: key, maxRetries: 0 })
const mail = 'ines.ferreira@museum.example'
const iban = 'DE89370400440532013000'
const asking = (content: string, model = 'far/far') => ({ model, messages: [{ role: 'user' as const, content }] })
const sentTo = (server: typeof far) => server.calls().at(-1)!.body.toString()

test('what a P2 run asks of a cloud model leaves without names and numbers, and the answer has them again', async () => {
  await letRedact('open')
  const { key, run } = await openRun(database, 'open', 2)
  far.next((request) => {
    const placeholders = /write to (\S+) about account (\S+)\./.exec(JSON.stringify(request.json))!
    const [before, behind] = [placeholders[1]!.slice(0, 4), placeholders[1]!.slice(4)]
    return { text: ['I shall write to ', before, behind, ' and ask for ', placeholders[2]!], usage: { input: 20, output: 9 } }
  })
  const stream = clientOf(key).chat.completions.stream(asking(`Please write to ${mail} about account ${iban}.`))
  assert.equal((await stream.finalChatCompletion()).choices[0]?.message.content, `I shall write to ${mail} and ask for ${iban}`)
  for (const secret of [mail, iban, 'ines', 'museum']) assert.ok(!far.bytes().toString('latin1').includes(secret), secret)
  assert.match(sentTo(far), /Please write to .* about account/)
  assert.deepEqual(
    (await closedCallsOf(database, run)).map(({ gate, upstream, zone, state, label_level, input_tokens, output_tokens }) => ({ gate, upstream, zone, state, label_level, input_tokens, output_tokens })),
    [
      { gate: 'local', upstream: 'far', zone: 'cloud', state: 'succeeded', label_level: 2, input_tokens: 20, output_tokens: 9 },
      { gate: 'cloud', upstream: 'far', zone: 'cloud', state: 'succeeded', label_level: 1, input_tokens: 20, output_tokens: 9 },
    ],
  )
})

test('a word of the operator’s dictionary leaves in no spelling, and gate cloud knows it too', async () => {
  await letRedact('open')
  const { key } = await openRun(database, 'open', 2)
  far.next((request) => ({ text: [`About ${/\[\[CLIENT_1\]\]/.exec(JSON.stringify(request.json))?.[0] ?? 'nobody'}: yes`] }))
  assert.equal((await clientOf(key).chat.completions.create(asking('What does MUSEUM AM UFER owe?'))).choices[0]?.message.content, 'About MUSEUM AM UFER: yes')
  assert.doesNotMatch(far.bytes().toString('latin1'), /museum am ufer/i)
})

test('what is asked on the wire of responses leaves redacted too, and texts for vectors do not leave at all', async () => {
  await letRedact('open')
  const { key } = await openRun(database, 'open', 2)
  far.next((request) => ({ text: ['Dear ', /write to (\S+) now/.exec(JSON.stringify(request.json))![1]!] }))
  const tools = [{ type: 'custom' as const, name: 'note', description: `for ${mail}` }]
  const response = await clientOf(key).responses.stream({ model: 'far/far', instructions: `You serve ${mail}.`, input: `Please write to ${mail} now`, tools }).finalResponse()
  assert.equal(response.output_text, `Dear ${mail}`)
  assert.ok(!far.bytes().toString('latin1').includes('ines'))
  const sent = far.requests.length
  await assert.rejects(clientOf(key).embeddings.create({ model: 'far/far', input: mail }), (error) => error instanceof OpenAI.APIError && error.code === 'label_refused')
  assert.equal(far.requests.length, sent)
})

test('what is asked on Ollama’s wire leaves redacted in every place, and none of its own fields leave', async () => {
  await letRedact('open')
  const { key } = await openRun(database, 'open', 2)
  far.next((request) => ({ toolCalls: [{ name: 'note', arguments: { to: /write to (\S+) now/.exec(JSON.stringify(request.json))![1]! } }] }))
  const answer = await new Ollama({ host: local.address, headers: { Authorization: `Bearer ${key}` } }).chat({
    model: 'far/far', format: { type: 'object', description: mail }, keep_alive: mail, options: { stop: [mail], ...{ [mail]: 1 } },
    messages: [
      { role: 'system', content: `You serve ${mail}.` },
      { role: 'assistant', content: '', thinking: mail, tool_calls: [{ function: { name: 'note', arguments: { to: mail } } }] },
      { role: 'tool', content: mail, tool_name: 'note' },
      { role: 'user', content: `Please write to ${mail} now` },
    ],
    tools: [{ type: 'function', function: { name: 'note', description: `for ${mail}`, parameters: { type: 'object', properties: { to: { type: 'string', description: mail } } } } }],
  })
  assert.deepEqual(answer.message.tool_calls?.map(({ function: { name, arguments: given } }) => [name, given]), [['note', { to: mail }]])
  for (const secret of [mail, 'ines', 'museum']) assert.ok(!far.bytes().toString('latin1').includes(secret), secret)
})

test('what is asked on Gemini’s wire leaves redacted in every place, and nothing of the request itself beside it', async () => {
  await letRedact('open')
  const { key } = await openRun(database, 'open', 2)
  far.next((request) => ({ text: ['Dear ', /write to (\S+) now/.exec(JSON.stringify(request.json))![1]!] }))
  const body = {
    system_instruction: { parts: [{ text: `You serve ${mail}.` }] }, labels: { of: mail }, tools: [{ functionDeclarations: [{ name: 'note', description: `for ${mail}`, parameters: { type: 'OBJECT', properties: { [mail]: { type: 'STRING', description: mail } } } }] }],
    generationConfig: { stopSequences: [mail], responseMimeType: 'application/json', responseSchema: { type: 'STRING', enum: [mail] } },
    contents: [
      { role: 'user', parts: [{ text: `Look for ${mail}` }] }, { role: 'model', parts: [{ text: mail, thought: true }, { functionCall: { name: 'note', args: { who: [mail] } }, thoughtSignature: Buffer.from(mail).toString('base64') }] },
      { role: 'user', parts: [{ functionResponse: { name: 'note', response: { found: { by: mail } } } }, { text: `Please write to ${mail} now` }] },
    ],
  }
  const response = await fetch(`${local.address}/v1beta/models/far/far:generateContent`, { method: 'POST', headers: { 'x-goog-api-key': key, 'content-type': 'application/json' }, body: JSON.stringify(body) })
  const { candidates } = (await response.json()) as { candidates: { content: { parts: { text: string }[] } }[] }
  assert.equal(candidates[0]!.content.parts[0]!.text, `Dear ${mail}`)
  for (const secret of ['ines', Buffer.from(mail).toString('base64')]) assert.ok(!far.bytes().toString('latin1').includes(secret), secret)
})

test('a value comes back inside the arguments of a tool as JSON writes it', async () => {
  await letRedact('open')
  const { key } = await openRun(database, 'open', 2)
  far.next((request) => {
    const [, placeholder] = /about (\S+) now/.exec(JSON.stringify(request.json))!
    return { toolCalls: [{ name: 'mail_search', arguments: { from: placeholder, text: 'a "quoted" word' } }] }
  })
  const answer = await clientOf(key).chat.completions.create({
    ...asking(`Look for mail about ${mail} now`),
    tools: [{ type: 'function', function: { name: 'mail_search', parameters: { type: 'object', properties: { from: { type: 'string' } } } } }],
  })
  const call = answer.choices[0]!.message.tool_calls![0]!
  assert.ok(call.type === 'function')
  assert.deepEqual(JSON.parse(call.function.arguments), { from: mail, text: 'a "quoted" word' })
})

test('who is near goes first, and a cloud model takes over redacted when he fails', async () => {
  await letRedact('open')
  const { key, run } = await openRun(database, 'open', 2)
  near.next({ misbehaves: { kind: 'status', status: 500 } })
  far.next({ text: ['from afar'] })
  const answer = await clientOf(key).chat.completions.create(asking(`Hello ${mail}`, 'auto'))
  assert.equal(answer.choices[0]?.message.content, 'from afar')
  assert.ok(!sentTo(far).includes(mail))
  assert.ok(sentTo(near).includes(mail))
  assert.deepEqual((await closedCallsOf(database, run)).filter(({ gate }) => gate === 'local').map(({ upstream, state }) => [upstream, state]), [['near', 'failed'], ['far', 'succeeded']])
})

test('P3, a lane that does not redact, and a lane without a cloud are never handed on', async () => {
  const asked = far.calls().length
  await letRedact('private', 'open')
  const cases = [['open', 3], ['private', 2], ['client', 3]] as const
  for (const [lane, level] of cases) {
    const { key } = await openRun(database, lane, level)
    await assert.rejects(clientOf(key).chat.completions.create(asking('Hello')), (error) => error instanceof OpenAI.APIError && error.status === 403, `${lane} P${level}`)
  }
  await letRedact()
  const { key } = await openRun(database, 'open', 2)
  await assert.rejects(clientOf(key).chat.completions.create(asking('Hello')), (error) => error instanceof OpenAI.APIError && error.status === 403)
  assert.equal(far.calls().length, asked)
})

test('a gate local that was taken over gets nothing past gate cloud without a record, with another body, or with what the scan finds again', async () => {
  await letRedact('open')
  const asked = far.calls().length
  const { key } = await openRun(database, 'open', 2)
  const send = async (body: object, headers: Record<string, string> = {}) => {
    const response = await fetch(`${cloud.address}/v1/chat/completions`, { method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) })
    return [response.status, ((await response.json()) as { error: { code: string } }).error.code]
  }
  assert.deepEqual(await send(asking('Hello')), [403, 'label_refused'])
  assert.deepEqual(await send(asking('Hello'), { 'x-castellan-declassification': '00000000-0000-4000-8000-000000000000' }), [403, 'declassification_refused'])
  assert.deepEqual(await send(asking('Hello'), { 'x-castellan-declassification': 'yes' }), [400, 'request.invalid'])
  const record = async (body: object) => {
    const id = randomUUID()
    const values = [id, hashOfKey(key), hashOfBody({}), hashOfBody(body)]
    await database.as('castellan_gate_local').pool.query(`select declassify($1, $2, 'taken over', $3, $4, 2::smallint, '{}', '1 hour')`, values)
    return id
  }
  const clean = asking('Hello')
  assert.deepEqual(await send(asking('Hello, other body'), { 'x-castellan-declassification': await record(clean) }), [403, 'declassification_refused'])
  const leaky = asking(`Hello ${mail}`)
  assert.deepEqual(await send(leaky, { 'x-castellan-declassification': await record(leaky) }), [403, 'redaction_incomplete'])
  assert.equal(far.calls().length, asked)
  const beside = { ...clean, messages: [{ ...clean.messages[0], name: mail }], chat_template_kwargs: { note: mail } }
  const answered = await fetch(`${cloud.address}/v1/chat/completions`, {
    method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', 'x-castellan-declassification': await record(beside) }, body: JSON.stringify(beside),
  })
  assert.equal(answered.status, 200)
  assert.deepEqual(far.calls().at(-1)!.json!['messages'], clean.messages)
  assert.ok(!sentTo(far).includes(mail), 'what stands beside the conversation is not scanned, so it does not go on')
})

test('a picture cannot be redacted, so it is not handed on', async () => {
  await letRedact('open')
  const asked = far.calls().length
  const { key } = await openRun(database, 'open', 2)
  const picture = { type: 'image_url' as const, image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } }
  await assert.rejects(
    clientOf(key).chat.completions.create({ model: 'far/far', messages: [{ role: 'user', content: [{ type: 'text', text: 'What is this?' }, picture] }] }),
    (error) => error instanceof OpenAI.APIError && error.code === 'redaction_blocked',
  )
  assert.equal(far.calls().length, asked)
})
