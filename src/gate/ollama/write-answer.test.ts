import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/fault.ts'
import type { ChatChunk } from '../../models/index.ts'
import { asMessage, asResponse, ollamaAnswer } from './write-answer.ts'

const named = { upstream: 'far', model: 'm' }
const second = 1_000_000_000

/** The lines of a streamed answer; each chunk comes a second after the one before. */
function linesOf(chunks: readonly ChatChunk[], put = asMessage): Record<string, unknown>[] {
  const clock = createManualClock(new Date('2026-01-01T00:00:00Z'))
  const wire = ollamaAnswer(put, clock)
  clock.advance(4_000)
  const writer = wire.stream(named, clock.now())
  let text = writer.begin()
  for (const chunk of chunks) {
    text += writer.chunk(chunk)
    clock.advance(1_000)
  }
  text += writer.end()
  return text.trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>)
}

test('the last line has the time until the answer began and from then on, in nanoseconds, and every line its own time', () => {
  const lines = linesOf([{ kind: 'text', text: 'a' }, { kind: 'text', text: '' }, { kind: 'finish', reason: 'length' }, { kind: 'usage', inputTokens: 5, outputTokens: 2 }], asResponse)
  assert.deepEqual(lines, [
    { model: 'far/m', created_at: '2026-01-01T00:00:04.000Z', response: 'a', done: false },
    {
      model: 'far/m', created_at: '2026-01-01T00:00:08.000Z', response: '', done: true, done_reason: 'length',
      total_duration: 8 * second, prompt_eval_count: 5, prompt_eval_duration: 4 * second, eval_count: 2, eval_duration: 4 * second,
    },
  ])
})

test('calls whose fragments alternate are told whole, in one line, and what is no object is put into one', () => {
  const lines = linesOf([
    { kind: 'tool_call', index: 0, id: 'a', name: 'find', arguments: '{"word":' },
    { kind: 'tool_call', index: 1, id: 'b', name: 'count', arguments: '' },
    { kind: 'text', text: 'so' },
    { kind: 'tool_call', index: 0, arguments: '"x"}' },
    { kind: 'tool_call', index: 2, id: 'c', name: 'list', arguments: '[1]' },
    { kind: 'tool_call', index: 3, id: 'd', name: 'half', arguments: '{"wo' },
    { kind: 'finish', reason: 'tool_calls' },
  ])
  assert.deepEqual(lines.map(({ message, done_reason: reason }) => [message, reason]), [
    [{ role: 'assistant', content: 'so' }, undefined],
    [{
      role: 'assistant', content: '', tool_calls: [
        { id: 'a', function: { index: 0, name: 'find', arguments: { word: 'x' } } },
        { id: 'b', function: { index: 1, name: 'count', arguments: {} } },
        { id: 'c', function: { index: 2, name: 'list', arguments: { value: [1] } } },
        { id: 'd', function: { index: 3, name: 'half', arguments: { arguments: '{"wo' } } },
      ],
    }, undefined],
    [{ role: 'assistant', content: '' }, 'stop'],
  ])
})

test('an answer that breaks off ends with a line of its error, and with nothing that ends a whole one', () => {
  const writer = ollamaAnswer(asMessage, createManualClock(new Date())).stream(named, new Date())
  writer.chunk({ kind: 'tool_call', index: 0, id: 'a', name: 'find', arguments: '{' })
  assert.deepEqual(JSON.parse(writer.broken(new Fault('unavailable', 'upstream.died', 'it ended'))), { error: 'it ended', code: 'upstream.died' })
})
