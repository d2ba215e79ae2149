import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Fault } from '../../kernel/fault.ts'
import { toJsonSchema } from './json-schema.ts'
import { readGemini } from './read-gemini.ts'

const read = (contents: unknown, more: object = {}) => readGemini({ contents, ...more }, 'auto', false).conversation
const call = (name: string, args: object, id?: string) => ({ functionCall: { name, args, ...(id && { id }) } })
const result = (name: string, response: unknown, id?: string) => ({ functionResponse: { name, response, ...(id && { id }) } })
const results = (contents: object[]) => read(contents).messages.filter(({ role }) => role === 'tool').map(({ toolCallId, content, isError = false }) => [toolCallId, content, isError])

test('results without ids answer calls of their name, in order; those with ids the call of that id', () => {
  assert.deepEqual(results([
    { role: 'model', parts: [call('a', {}), call('b', {}), call('a', {})] }, { role: 'user', parts: [result('b', { output: '1' }), result('a', { output: '2' }), result('a', { output: '3' })] },
    { role: 'model', parts: [call('a', {}, 'x'), call('a', {}, 'y')] }, { role: 'function', parts: [result('a', { output: '4' }, 'y'), result('a', { output: '5' }, 'x'), result('z', {})] },
  ]), [['call_2', '1', false], ['call_1', '2', false], ['call_3', '3', false], ['y', '4', false], ['x', '5', false], ['call_z', '', false]])
})

test('a result is read as the text that it is, wherever clients put it, and as JSON otherwise', () => {
  const read = (response: unknown) => results([{ role: 'model', parts: [call('a', {})] }, { parts: [result('a', response)] }])[0]!.slice(1)
  assert.deepEqual([{ output: 'x' }, { result: 'x' }, { name: 'a', content: 'x' }].map(read), [['x', false], ['x', false], ['x', false]])
  assert.deepEqual([{ error: 'x' }, { error: { code: 1 } }].map(read), [['x', true], ['{"code":1}', true]])
  assert.deepEqual([{ output: 1 }, { error: 'x', output: 'y' }, { name: 'other', content: 'x' }, {}].map(read), [['{"output":1}', false], ['{"error":"x","output":"y"}', false], ['{"name":"other","content":"x"}', false], ['', false]])
})

test('all that a model would read is in the conversation: what goes out unredacted is what a scan has seen', () => {
  const word = fc.stringMatching(/^secret[a-z]{6}$/)
  fc.assert(fc.property(fc.array(word, { minLength: 9, maxLength: 9 }), fc.boolean(), (words, underscores) => {
    const [a, b, c, d, e, f, g, h, i] = words as [string, string, string, string, string, string, string, string, string]
    const name = (camel: string) => (underscores ? camel.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`) : camel)
    const body = {
      [name('systemInstruction')]: { parts: [{ text: a }] },
      contents: [{ role: 'user', parts: [{ text: b }] }, { role: 'model', parts: [{ text: c, thought: true }, { [name('functionCall')]: { name: 'f', args: { [d]: d } } }] }, { parts: [{ [name('functionResponse')]: { name: 'f', response: { x: [e] } } }] }],
      tools: [{ [name('functionDeclarations')]: [{ name: f, description: g, [name('parametersJsonSchema')]: { title: h }, response: { title: 'unread' } }] }],
      [name('generationConfig')]: { [name('stopSequences')]: [i] },
      [name('safetySettings')]: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'OFF' }],
    }
    const { conversation, native } = readGemini(body, 'auto', false)
    const seen = JSON.stringify(conversation)
    for (const secret of words) assert.ok(seen.includes(secret) && JSON.stringify(native!.body).includes(secret), secret)
    assert.ok(!JSON.stringify(native!.body).includes('unread'))
  }))
})

test('whatever a body is, it is read or refused as a wrong request', () => {
  const odd = fc.oneof(fc.jsonValue(), fc.record({ contents: fc.jsonValue(), tools: fc.jsonValue(), generationConfig: fc.jsonValue(), systemInstruction: fc.jsonValue() }, { requiredKeys: [] }), fc.record({
    contents: fc.array(fc.record({ role: fc.constantFrom('user', 'model', null), parts: fc.array(fc.record({ text: fc.jsonValue(), functionCall: fc.jsonValue(), functionResponse: fc.jsonValue(), inlineData: fc.jsonValue(), thought: fc.jsonValue() }, { requiredKeys: [] })) })),
  }))
  fc.assert(fc.property(odd, (body) => {
    try {
      readGemini(body, 'auto', true)
    } catch (error) {
      assert.ok(error instanceof Fault && error.kind === 'invalid', String(error))
    }
  }), { numRuns: 500 })
})

test('an effort is read from tokens and from levels', () => {
  const effort = (thinkingConfig: object) => read([{ parts: [{ text: 'x' }] }], { generationConfig: { thinkingConfig } }).reasoning
  assert.deepEqual([0, -1, 512, 8_000, 30_000].map((thinkingBudget) => effort({ thinkingBudget })), ['none', undefined, 'low', 'medium', 'high'])
  assert.deepEqual(['MINIMAL', 'low', 'HIGH', 'XHIGH', 'THINKING_LEVEL_UNSPECIFIED'].map((thinkingLevel) => effort({ thinkingLevel })), ['minimal', 'low', 'high', 'high', undefined])
})

test('a schema of Google’s is one that others read', () => {
  assert.deepEqual(
    toJsonSchema({ type: 'OBJECT', property_ordering: ['a'], required: ['a'], properties: { a: { type: 'ARRAY', minItems: '2', items: { type: 'STRING', format: 'enum', enum: ['x'], nullable: true } }, any_of: { anyOf: [{ type: 'INTEGER' }, { type: 'NUMBER', maximum: 3 }] } } }),
    { type: 'object', required: ['a'], properties: { a: { type: 'array', minItems: 2, items: { type: ['string', 'null'], enum: ['x'] } }, any_of: { anyOf: [{ type: 'integer' }, { type: 'number', maximum: 3 }] } } },
  )
})
