import assert from 'node:assert/strict'
import { callId, eventsOf, said, type Ask, type Dialect, type Loose, type Turn } from './dialect.ts'

export const openaiChat: Dialect = {
  wire: 'openai-chat',
  kind: 'openai',
  base: '/v1',

  write: (ask, model, stream) => ({
    path: '/v1/chat/completions',
    body: said({
      model,
      messages: [...(ask.system === undefined ? [] : [{ role: 'system', content: ask.system }]), ...ask.turns.map(messageOf)],
      stream,
      stream_options: stream ? { include_usage: true } : undefined,
      tools: ask.tools?.map((tool) => ({ type: 'function', function: tool })),
      tool_choice: typeof ask.toolChoice === 'object' ? { type: 'function', function: ask.toolChoice } : ask.toolChoice,
      parallel_tool_calls: ask.oneCall && false,
      response_format: ask.schema ? { type: 'json_schema', json_schema: { name: 'answer', schema: ask.schema } } : ask.json ? { type: 'json_object' } : undefined,
      reasoning_effort: ask.effort,
      max_completion_tokens: ask.maxTokens,
      temperature: ask.temperature,
      top_p: ask.topP,
      stop: ask.stop,
      seed: ask.seed,
      presence_penalty: ask.penalty,
    }),
  }),

  asked(body) {
    const names = new Map<string, string>(body.messages.flatMap((message: Loose) => (message.tool_calls ?? []).map((call: Loose) => [call.id, call.function.name])))
    const format = body.response_format
    return said<Ask>({
      system: body.messages.find((message: Loose) => message.role === 'system')?.content,
      turns: body.messages.filter((message: Loose) => message.role !== 'system').map((message: Loose) => turnOf(message, names)),
      tools: body.tools?.map((tool: Loose) => ({ name: tool.function.name, parameters: tool.function.parameters })),
      toolChoice: body.tool_choice?.function ?? body.tool_choice,
      oneCall: body.parallel_tool_calls === false ? true : undefined,
      schema: format?.json_schema?.schema,
      json: format?.type === 'json_object' ? true : undefined,
      effort: body.reasoning_effort,
      maxTokens: body.max_completion_tokens ?? body.max_tokens,
      temperature: body.temperature,
      topP: body.top_p,
      topK: body.top_k,
      stop: body.stop,
      seed: body.seed,
      penalty: body.presence_penalty,
    })
  },

  whole(body) {
    assert.equal(body.object, 'chat.completion')
    const [choice] = body.choices
    const calls = choice.message.tool_calls ?? []
    return {
      text: choice.message.content ?? '', textPieces: 1, thinking: choice.message.reasoning_content ?? '',
      calls: calls.map((call: Loose) => ({ name: call.function.name, arguments: JSON.parse(call.function.arguments) })), argumentPieces: 1,
      stop: choice.finish_reason, input: body.usage?.prompt_tokens, output: body.usage?.completion_tokens, ended: true,
    }
  },

  stream(text) {
    const events = eventsOf(text)
    const bodies = events.filter(({ data }) => data !== '[DONE]').map(({ data }) => JSON.parse(data))
    const deltas = bodies.flatMap((body) => body.choices ?? []).map((choice) => choice.delta)
    const calls = new Map<number, { name: string; text: string }>()
    const pieces = deltas.flatMap((delta) => delta.tool_calls ?? [])
    for (const { index, id, function: called } of pieces) {
      if (!calls.has(index)) assert.ok(id && called.name, 'the first piece of a call has its id and name')
      const known = calls.get(index) ?? { name: called.name, text: '' }
      calls.set(index, { ...known, text: known.text + (called.arguments ?? '') })
    }
    const error = bodies.find((body) => body.error)?.error
    const ended = events.at(-1)?.data === '[DONE]'
    const usage = bodies.findLast((body) => body.usage)?.usage
    const spoken = deltas.map((delta) => delta.content ?? '').filter((piece) => piece !== '')
    return {
      text: spoken.join(''), textPieces: spoken.length, thinking: deltas.map((delta) => delta.reasoning_content ?? '').join(''),
      calls: [...calls.values()].map((call) => ({ name: call.name, arguments: error ? call.text : JSON.parse(call.text) })), argumentPieces: pieces.filter((piece) => piece.function.arguments).length,
      stop: bodies.flatMap((body) => body.choices ?? []).findLast((choice) => choice.finish_reason)?.finish_reason,
      input: usage?.prompt_tokens, output: usage?.completion_tokens, error: error?.message, ended,
    }
  },

  error(body) {
    assert.deepEqual(['message', 'type', 'param', 'code'].filter((name) => !(name in body.error)), [])
    return body.error.message
  },
}

function messageOf(turn: Turn): object {
  if ('user' in turn) {
    const image = turn.image && { type: 'image_url', image_url: { url: `data:image/png;base64,${turn.image}` } }
    return { role: 'user', content: image ? [{ type: 'text', text: turn.user }, image] : turn.user }
  }
  if ('result' in turn) return { role: 'tool', content: turn.result, tool_call_id: callId(turn.of) }
  return said({
    role: 'assistant', content: turn.assistant, reasoning_content: turn.thinking,
    tool_calls: turn.calls?.map((call) => ({ id: callId(call.name), type: 'function', function: { name: call.name, arguments: JSON.stringify(call.arguments) } })),
  })
}

function turnOf(message: Loose, names: ReadonlyMap<string, string>): Turn {
  const parts = typeof message.content === 'string' ? [{ type: 'text', text: message.content }] : (message.content ?? [])
  const text = parts.filter((part: Loose) => part.type === 'text').map((part: Loose) => part.text).join('')
  if (message.role === 'user') return said({ user: text, image: parts.find((part: Loose) => part.image_url)?.image_url.url.split(',')[1] })
  if (message.role === 'tool') return { result: text, of: names.get(message.tool_call_id) ?? `nobody's ${message.tool_call_id}` }
  return said({
    assistant: text, thinking: message.reasoning_content,
    calls: message.tool_calls?.map((call: Loose) => ({ name: call.function.name, arguments: JSON.parse(call.function.arguments) })),
  })
}
