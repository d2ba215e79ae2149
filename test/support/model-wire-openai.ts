import { whole, type ScriptedAnswer, type ScriptedToolCall } from './model-script.ts'
import type { LoggedRequest, Wire } from './model-server.ts'

/** OpenAI's chat completions: server-sent events; with `include_usage` the last chunk has usage and no choice. */
export function openaiWire(answer: ScriptedAnswer, request: LoggedRequest): Wire {
  const quirk = new Set(answer.quirks ?? [])
  const usage = {
    prompt_tokens: answer.usage?.input ?? 7,
    completion_tokens: answer.usage?.output ?? 2,
    total_tokens: (answer.usage?.input ?? 7) + (answer.usage?.output ?? 2),
  }
  const wantsUsage = (request.json?.['stream_options'] as { include_usage?: boolean } | undefined)?.include_usage === true
  const finish = answer.toolCalls && !quirk.has('stop-after-tools') ? 'tool_calls' : (answer.finish ?? 'stop')
  const envelope = { id: 'chatcmpl-script', created: 1, model: request.json?.['model'] }
  const event = (body: object) => `data: ${JSON.stringify({ ...envelope, object: 'chat.completion.chunk', ...body })}\n\n`
  let roleSaid = false
  const delta = (content: object, reason: string | null = null, rest: object = {}) => {
    const role = quirk.has('content-in-first-delta') && !roleSaid ? { role: 'assistant' } : {}
    roleSaid = true
    const extra = quirk.has('empty-tool-calls') && !('tool_calls' in content) ? { tool_calls: [] } : {}
    return event({ choices: [{ index: 0, delta: { ...role, ...content, ...extra }, finish_reason: reason }], ...(quirk.has('usage-everywhere') ? { usage: { ...usage, completion_tokens: 1 } } : {}), ...rest })
  }
  return {
    streams: request.json?.['stream'] === true,
    contentType: 'text/event-stream',
    head: () => (quirk.has('content-in-first-delta') ? [] : [delta({ role: 'assistant', content: '' })]),
    piece: (piece) => {
      if ('thinking' in piece) return [delta({ reasoning_content: piece.thinking })]
      if ('text' in piece) return [delta({ content: piece.text })]
      return inTwo(piece.toolCall, piece.index).map((call) => delta({ tool_calls: [call] }))
    },
    error: (message) => {
      const body = JSON.stringify({ error: { message, type: 'server_error', code: null } })
      return roleSaid ? `data: ${body}\n\n` : body
    },
    tail: () => [
      delta({}, finish, quirk.has('usage-in-choices') ? { usage } : {}),
      ...(wantsUsage && !quirk.has('no-usage') && !quirk.has('usage-in-choices') ? [event({ choices: [], usage })] : []),
      ...(quirk.has('no-done') ? [] : ['data: [DONE]\n\n']),
    ],
    whole: () => ({
      ...envelope,
      object: 'chat.completion',
      choices: [{ index: 0, finish_reason: finish, message: wholeMessage(answer) }],
      ...(quirk.has('no-usage') ? {} : { usage }),
    }),
  }
}

/** Arguments arrive in fragments, as they do in the field. */
function inTwo(call: ScriptedToolCall, index: number): object[] {
  const text = JSON.stringify(call.arguments)
  const half = Math.floor(text.length / 2)
  return [
    { index, id: `call_${index}`, type: 'function', function: { name: call.name, arguments: text.slice(0, half) } },
    { index, function: { arguments: text.slice(half) } },
  ]
}

function wholeMessage(answer: ScriptedAnswer): object {
  return {
    role: 'assistant',
    content: answer.text ? whole(answer, 'text') : null,
    refusal: null,
    ...(answer.thinking ? { reasoning_content: whole(answer, 'thinking') } : {}),
    ...(answer.toolCalls
      ? { tool_calls: answer.toolCalls.map((call, index) => ({ id: `call_${index}`, type: 'function', function: { name: call.name, arguments: JSON.stringify(call.arguments) } })) }
      : {}),
  }
}
