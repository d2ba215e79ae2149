import assert from 'node:assert/strict'
import { said, type Ask, type Dialect, type Loose, type Turn } from './dialect.ts'

export const ollama: Dialect = {
  wire: 'ollama',
  kind: 'ollama',
  base: '',

  write: (ask, model, stream) => ({
    path: '/api/chat',
    body: said({
      model,
      messages: [...(ask.system === undefined ? [] : [{ role: 'system', content: ask.system }]), ...ask.turns.map(messageOf)],
      // streams are the default
      stream: stream ? undefined : false,
      tools: ask.tools?.map((tool) => ({ type: 'function', function: { description: '', ...tool } })),
      format: ask.schema ?? (ask.json && 'json'),
      think: ask.effort,
      options: said({ num_predict: ask.maxTokens, temperature: ask.temperature, top_p: ask.topP, top_k: ask.topK, stop: ask.stop, seed: ask.seed, presence_penalty: ask.penalty }),
    }),
  }),

  asked(body) {
    assert.deepEqual([body.truncate, body.shift, body.options.num_ctx >= 8_192], [false, false, true])
    return said<Ask>({
      system: body.messages.find((message: Loose) => message.role === 'system')?.content,
      turns: body.messages.filter((message: Loose) => message.role !== 'system').map(turnOf),
      tools: body.tools?.map((tool: Loose) => ({ name: tool.function.name, parameters: tool.function.parameters })),
      schema: typeof body.format === 'object' ? body.format : undefined,
      json: body.format === 'json' ? true : undefined,
      effort: typeof body.think === 'boolean' ? (body.think ? 'on' : 'none') : body.think,
      maxTokens: body.options.num_predict,
      temperature: body.options.temperature,
      topP: body.options.top_p,
      topK: body.options.top_k,
      stop: body.options.stop,
      seed: body.options.seed,
      penalty: body.options.presence_penalty,
    })
  },

  whole: (body) => heard([body]),

  stream(text) {
    assert.ok(text.endsWith('\n'))
    return heard(text.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line)))
  },

  error(body) {
    assert.equal(typeof body.error, 'string')
    return body.error
  },
}

function heard(lines: readonly Loose[]) {
  const error = lines.find((line) => line.error !== undefined)?.error
  const spoken = lines.filter((line) => line.error === undefined)
  for (const line of spoken) assert.deepEqual([typeof line.model, Number.isNaN(Date.parse(line.created_at)), line.message.role], ['string', false, 'assistant'])
  assert.ok(spoken.slice(0, -1).every(({ done }) => done === false))
  const last = spoken.at(-1)
  const pieces = spoken.map(({ message }) => message.content).filter((piece) => piece !== '')
  const calls = spoken.flatMap(({ message }) => message.tool_calls ?? []).map((call) => call.function)
  for (const call of calls) assert.equal(typeof call.arguments, 'object')
  // why a model stopped that called tools it does not say
  const stop = calls.length > 0 && last?.done_reason === 'stop' ? 'tool_calls' : last?.done_reason
  return {
    text: pieces.join(''), textPieces: pieces.length, thinking: spoken.map(({ message }) => message.thinking ?? '').join(''),
    calls: calls.map((call) => ({ name: call.name, arguments: call.arguments })), argumentPieces: calls.length,
    stop, input: last?.prompt_eval_count, output: last?.eval_count, error, ended: last?.done === true,
  }
}

function messageOf(turn: Turn): object {
  if ('user' in turn) return said({ role: 'user', content: turn.user, images: turn.image && [turn.image] })
  if ('result' in turn) return { role: 'tool', content: turn.result, tool_name: turn.of }
  return said({ role: 'assistant', content: turn.assistant, thinking: turn.thinking, tool_calls: turn.calls?.map((call) => ({ function: call })) })
}

function turnOf(message: Loose): Turn {
  if (message.role === 'user') return said({ user: message.content, image: message.images?.[0] })
  if (message.role === 'tool') return { result: message.content, of: message.tool_name }
  return said({ assistant: message.content, thinking: message.thinking, calls: message.tool_calls?.map((call: Loose) => ({ name: call.function.name, arguments: call.function.arguments })) })
}
