import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { responsesEvents } from './openai-responses-events.ts'
import { isFault } from './upstream.contract.ts'

function read(...events: readonly object[]) {
  const reader = responsesEvents('it')
  const chunks = events.flatMap((event) => reader.read(JSON.stringify(event)).chunks)
  return { reader, chunks, text: chunks.map((chunk) => (chunk.kind === 'text' ? chunk.text : '')).join('') }
}
const completed = (output: readonly object[] = []) => ({ type: 'response.completed', response: { status: 'completed', output } })
const message = (text: string) => ({ type: 'message', content: [{ type: 'output_text', text }] })

test('whatever part of a text comes as deltas, all of it is heard once', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' })), fc.nat(), fc.boolean(), fc.boolean(), (pieces, count, hasDone, hasItem) => {
      const told = pieces.slice(0, hasDone || hasItem ? count % (pieces.length + 1) : pieces.length)
      const { text, chunks } = read(
        ...told.map((delta) => ({ type: 'response.output_text.delta', output_index: 1, content_index: 0, delta })),
        ...(hasDone ? [{ type: 'response.output_text.done', output_index: 1, content_index: 0, text: pieces.join('') }] : []),
        ...(hasItem ? [{ type: 'response.output_item.done', output_index: 1, item: message(pieces.join('')) }] : []),
        completed(),
      )
      assert.equal(text, pieces.join(''))
      assert.deepEqual(chunks.at(-1), { kind: 'finish', reason: 'stop' })
    }),
  )
})

test('an answer that is told only at its end is heard there, and one that was heard is not heard again', () => {
  assert.equal(read(completed([message('all')])).text, 'all')
  // here the last event counts without the thought that was item 0
  assert.equal(read({ type: 'response.reasoning_text.delta', output_index: 0, delta: 'h' }, { type: 'response.output_text.delta', output_index: 1, delta: 'all' }, completed([message('all')])).text, 'all')
})

test('a whole response is read as its end, and one that failed as a failure', () => {
  const { chunks } = read({ object: 'response', status: 'incomplete', incomplete_details: { reason: 'content_filter' }, output: [message('a')], usage: { input_tokens: 3, output_tokens: 1 } })
  assert.deepEqual(chunks, [{ kind: 'text', text: 'a' }, { kind: 'finish', reason: 'content_filter' }, { kind: 'usage', inputTokens: 3, outputTokens: 1 }])
  assert.throws(() => read({ object: 'response', status: 'failed', error: { code: 'rate_limit_exceeded', message: 'slower' } }), isFault('unavailable', 'upstream.limited'))
})

test('calls with free text count as calls', () => {
  const { chunks } = read(
    { type: 'response.output_item.added', output_index: 0, item: { type: 'custom_tool_call', call_id: 'c', name: 'apply_patch', input: '' } },
    { type: 'response.custom_tool_call_input.delta', output_index: 0, delta: '*** ' },
    { type: 'response.custom_tool_call_input.done', output_index: 0, input: '*** Begin' },
    completed(),
  )
  assert.deepEqual(chunks, [
    { kind: 'tool_call', index: 0, id: 'c', name: 'apply_patch', arguments: '' }, { kind: 'tool_call', index: 0, arguments: '*** ' }, { kind: 'tool_call', index: 0, arguments: 'Begin' },
    { kind: 'finish', reason: 'tool_calls' },
  ])
})

test('the parts of a thought are apart from each other', () => {
  const { chunks } = read(
    { type: 'response.reasoning_summary_text.delta', output_index: 0, summary_index: 0, delta: 'one' },
    { type: 'response.reasoning_summary_text.delta', output_index: 0, summary_index: 1, delta: 'two' },
    { type: 'response.output_item.done', output_index: 0, item: { type: 'reasoning', summary: [{ text: 'one' }, { text: 'two' }] } },
  )
  assert.equal(chunks.map((chunk) => chunk.kind === 'thinking' && chunk.text).join(''), 'one\n\ntwo')
})

test('an error without a failure after it ends the answer, and an answer without an end is not whole', () => {
  assert.throws(() => read({ type: 'error', code: 'server_error', message: 'x' }).reader.end(), isFault('unavailable', 'upstream.failed'))
  assert.throws(() => read({ type: 'response.output_text.delta', delta: 'a' }).reader.end(), isFault('unavailable', 'upstream.died'))
})

test('what is no text is not taken for one', () => {
  assert.throws(() => read({ type: 'response.output_text.delta', delta: 5 }), isFault('unavailable', 'upstream.malformed'))
  assert.throws(() => read({ type: 'response.output_item.done', output_index: 0, item: { type: 'function_call', call_id: {}, name: 'x' } }), isFault('unavailable', 'upstream.malformed'))
})

test('anything else is passed over or told as malformed, never a defect of ours', () => {
  const json = fc.jsonValue({ maxDepth: 4 })
  const types = fc.constantFrom('response.output_item.added', 'response.output_item.done', 'response.output_text.delta', 'response.function_call_arguments.done', 'response.completed', 'response.failed', 'error', 'x')
  fc.assert(
    fc.property(fc.record({ type: types, output_index: json, delta: json, text: json, item: fc.oneof(json, fc.record({ type: fc.constantFrom('message', 'reasoning', 'function_call'), content: json, summary: json, arguments: json })), response: json, error: json, message: json }), (event) => {
      try {
        for (const chunk of read(event).chunks) if (chunk.kind === 'text') assert.equal(typeof chunk.text, 'string')
      } catch (error) {
        assert.ok((error as { kind?: string }).kind === 'unavailable', String(error))
      }
    }),
  )
})
