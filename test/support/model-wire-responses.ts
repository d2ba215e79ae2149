import { whole, type Piece, type ScriptedAnswer } from './model-script.ts'
import type { LoggedRequest, Wire } from './model-server.ts'

/** OpenAI's responses: named events with a number each; `error` and then `response.failed` when it fails on the way. */
export function responsesWire(answer: ScriptedAnswer, request: LoggedRequest): Wire {
  const quirk = new Set(answer.quirks ?? [])
  const isEncrypted = (request.json?.['include'] as unknown[] | undefined)?.includes('reasoning.encrypted_content') ?? false
  const items = itemsOf(answer, isEncrypted)
  const input = answer.usage?.input ?? 7
  const output = answer.usage?.output ?? 2
  const usage = {
    input_tokens: input, input_tokens_details: { cached_tokens: 1, cache_write_tokens: 0 },
    output_tokens: output, output_tokens_details: { reasoning_tokens: answer.thinking ? 1 : 0 }, total_tokens: input + output,
  }
  const ending = answer.finish === 'length' ? 'incomplete' : 'completed'
  const response = (status: string, more: object = {}) => ({
    id: 'resp_script', object: 'response', created_at: 1, status, model: request.json?.['model'], store: request.json?.['store'] ?? true,
    error: null, incomplete_details: status === 'incomplete' ? { reason: 'max_output_tokens' } : null, output: [], usage: null, ...more,
  })
  const ended = () => response(ending, { output: items, ...(quirk.has('no-usage') ? {} : { usage }) })
  let sequence = 0
  const event = (type: string, body: object) => `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence++, ...body })}\n\n`
  const begun = new Set<number>()
  let spoken: number | undefined

  const part = (step: 'added' | 'done', index: number): string[] => {
    const { id, type } = items[index]!
    if (type === 'function_call') return []
    const text = step === 'added' ? '' : whole(answer, type === 'reasoning' ? 'thinking' : 'text')
    const at = { item_id: id, output_index: index }
    return type === 'reasoning'
      ? [event(`response.reasoning_summary_part.${step}`, { ...at, summary_index: 0, part: { type: 'summary_text', text } })]
      : [event(`response.content_part.${step}`, { ...at, content_index: 0, part: { type: 'output_text', text, annotations: [], logprobs: [] } })]
  }
  const begin = (index: number): string[] => {
    if (begun.has(index)) return []
    begun.add(index)
    const item = items[index]!
    const empty = item.type === 'function_call' ? { ...item, status: 'in_progress', arguments: '' } : item.type === 'reasoning' ? { ...item, summary: [] } : { ...item, status: 'in_progress', content: [] }
    if (quirk.has('done-only') && item.type !== 'function_call') return []
    return [event('response.output_item.added', { output_index: index, item: empty }), ...part('added', index)]
  }
  const finish = (index: number): string[] => {
    const item = items[index]!
    const at = { item_id: item.id, output_index: index }
    const done = item.type === 'function_call' ? [event('response.function_call_arguments.done', { ...at, name: item.name, arguments: item.arguments })]
      : item.type === 'reasoning' ? [event('response.reasoning_summary_text.done', { ...at, summary_index: 0, text: whole(answer, 'thinking') })]
      : [event('response.output_text.done', { ...at, content_index: 0, text: whole(answer, 'text'), logprobs: [] })]
    return [...done, ...(quirk.has('done-only') ? [] : part('done', index)), event('response.output_item.done', { output_index: index, item: item.type === 'function_call' && quirk.has('arguments-once') ? { ...item, arguments: '' } : item })]
  }
  const deltas = (piece: Piece, index: number): string[] => {
    if (quirk.has('done-only')) return []
    const at = { item_id: items[index]!.id, output_index: index }
    if ('thinking' in piece) return [event('response.reasoning_summary_text.delta', { ...at, summary_index: 0, delta: piece.thinking })]
    if ('text' in piece) return [event('response.output_text.delta', { ...at, content_index: 0, delta: piece.text, logprobs: [] })]
    if (quirk.has('arguments-once')) return []
    const text = JSON.stringify(piece.toolCall.arguments)
    return [text.slice(0, 4), text.slice(4)].map((delta) => event('response.function_call_arguments.delta', { ...at, delta }))
  }

  return {
    streams: request.json?.['stream'] === true,
    contentType: 'text/event-stream',
    head: () => [': keep-alive\n\n', event('response.created', { response: response('in_progress') }), event('response.in_progress', { response: response('in_progress') })],
    piece: (piece) => {
      const kind = 'thinking' in piece ? 'reasoning' : 'text' in piece ? 'message' : 'function_call'
      const index = items.findIndex(({ type }) => type === kind) + ('toolCall' in piece ? piece.index : 0)
      const before = spoken !== undefined && spoken !== index ? finish(spoken) : []
      spoken = index
      return [...before, ...begin(index), ...deltas(piece, index)]
    },
    error: (message) => {
      if (sequence === 0) return JSON.stringify({ error: { message, type: 'server_error', code: null } })
      return event('error', { code: 'server_error', message, param: null }) + event('response.failed', { response: response('failed', { error: { code: 'server_error', message } }) })
    },
    tail: () => [...(spoken === undefined ? [] : finish(spoken)), event(`response.${ending}`, { response: ended() })],
    whole: ended,
  }
}

type Item = { readonly id: string } & (
  | { readonly type: 'reasoning'; readonly summary: object[] }
  | { readonly type: 'message'; readonly role: 'assistant'; readonly status: string; readonly content: object[] }
  | { readonly type: 'function_call'; readonly status: string; readonly call_id: string; readonly name: string; readonly arguments: string }
)

function itemsOf(answer: ScriptedAnswer, isEncrypted: boolean): Item[] {
  const thought = { id: 'rs_script', type: 'reasoning' as const, summary: [{ type: 'summary_text', text: whole(answer, 'thinking') }], ...(isEncrypted ? { encrypted_content: 'gAAAA-opaque' } : {}) }
  const text = { type: 'output_text', text: whole(answer, 'text'), annotations: [], logprobs: [] }
  return [
    ...(answer.thinking ? [thought] : []),
    ...(answer.text ? [{ id: 'msg_script', type: 'message' as const, role: 'assistant' as const, status: 'completed', content: [text] }] : []),
    ...(answer.toolCalls ?? []).map((call, index) => ({
      id: `fc_${index}`, type: 'function_call' as const, status: 'completed', call_id: `call_${index}`, name: call.name, arguments: JSON.stringify(call.arguments),
    })),
  ]
}
