import { whole, type ScriptedAnswer } from './model-script.ts'
import type { LoggedRequest, Wire } from './model-server.ts'

/** Anthropic's messages: named events, pings between them, usage at both ends. */
export function anthropicWire(answer: ScriptedAnswer, request: LoggedRequest): Wire {
  const quirk = new Set(answer.quirks ?? [])
  const atEnd = quirk.has('usage-at-end')
  const counted = { input_tokens: answer.usage?.input ?? 7, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 }
  const output = answer.usage?.output ?? 2
  const stop = answer.toolCalls ? 'tool_use' : answer.finish === 'length' ? 'max_tokens' : 'end_turn'
  const message = { id: 'msg_script', type: 'message', role: 'assistant', model: request.json?.['model'], stop_sequence: null }
  const event = (type: string, body: object = {}) => `event: ${type}\ndata: ${JSON.stringify({ type, ...body })}\n\n`
  let index = -1
  let open: string | undefined
  let isBegun = false
  const close = () => (open === undefined ? [] : [event('content_block_stop', { index })])
  const begin = (key: string, block: object): string[] => {
    const before = close()
    index += 1
    open = key
    return [...before, event('content_block_start', { index, content_block: block })]
  }
  const during = (key: string, block: object, deltas: readonly object[]) => [...(open === key ? [] : begin(key, block)), ...deltas.map((delta) => event('content_block_delta', { index, delta }))]
  return {
    streams: request.json?.['stream'] === true,
    contentType: 'text/event-stream',
    head: () => {
      isBegun = true
      return [event('message_start', { message: { ...message, content: [], stop_reason: null, ...(atEnd ? {} : { usage: { ...counted, output_tokens: 1 } }) } }), event('ping')]
    },
    piece: (piece) => {
      if ('thinking' in piece) return during('thinking', { type: 'thinking', thinking: '', signature: '' }, [{ type: 'thinking_delta', thinking: piece.thinking }])
      if ('text' in piece) return during('text', { type: 'text', text: '' }, [{ type: 'text_delta', text: piece.text }])
      const json = JSON.stringify(piece.toolCall.arguments)
      const half = Math.floor(json.length / 2)
      const block = { type: 'tool_use', id: `toolu_${piece.index}`, name: piece.toolCall.name, input: {} }
      return during(`call ${piece.index}`, block, ['', json.slice(0, half), json.slice(half)].map((part) => ({ type: 'input_json_delta', partial_json: part })))
    },
    error: (text) => (isBegun ? event('error', { error: { type: 'overloaded_error', message: text } }) : JSON.stringify({ type: 'error', error: { type: 'api_error', message: text } })),
    tail: () => [...close(), event('message_delta', { delta: { stop_reason: stop, stop_sequence: null }, ...(quirk.has('no-usage') ? {} : { usage: { ...(atEnd ? counted : {}), output_tokens: output } }) }), event('message_stop')],
    whole: () => ({
      ...message,
      content: [
        ...(answer.thinking ? [{ type: 'thinking', thinking: whole(answer, 'thinking'), signature: 'sig' }] : []),
        ...(answer.text ? [{ type: 'text', text: whole(answer, 'text') }] : []),
        ...(answer.toolCalls ?? []).map((call, place) => ({ type: 'tool_use', id: `toolu_${place}`, name: call.name, input: call.arguments })),
      ],
      stop_reason: stop,
      usage: { ...counted, output_tokens: output },
    }),
  }
}
