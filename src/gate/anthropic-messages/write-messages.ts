import { newId } from '../../kernel/ids.ts'
import type { Answer, ChatChunk, FinishReason } from '../../models/index.ts'
import type { Named, StreamWriter, Wire } from '../wire.ts'
import { toldError, type WireError } from '../wire-error.ts'

const errorTypes: Readonly<Record<number, string>> = {
  400: 'invalid_request_error', 401: 'authentication_error', 403: 'permission_error', 404: 'not_found_error', 409: 'invalid_request_error', 413: 'request_too_large',
  415: 'invalid_request_error', 429: 'rate_limit_error', 503: 'overloaded_error', 504: 'timeout_error',
}

/** For Anthropic's clients. The code is not in their shape, and stands beside the message. */
export function anthropicError(error: unknown): WireError {
  const { status, headers, message, code, details } = toldError(error)
  return { status, headers, body: { type: 'error', error: { type: errorTypes[status] ?? 'api_error', message, code, ...(details && { details }) } } }
}

/** Anthropic's messages. */
export const anthropicMessages: Wire = {
  contentType: 'text/event-stream; charset=utf-8',
  whole: wholeMessage,
  stream: (answer) => messageWriter(answer),
  error: anthropicError,
}

const stopReasons: Readonly<Record<FinishReason, string>> = { stop: 'end_turn', length: 'max_tokens', tool_calls: 'tool_use', content_filter: 'refusal' }

/** Tokens that were in a cache or put into it stand apart there. */
function usageOf({ inputTokens, outputTokens, cachedTokens = 0, cacheWriteTokens = 0 }: Extract<ChatChunk, { kind: 'usage' }>): object {
  return {
    input_tokens: Math.max(0, inputTokens - cachedTokens - cacheWriteTokens),
    cache_read_input_tokens: cachedTokens,
    cache_creation_input_tokens: cacheWriteTokens,
    output_tokens: outputTokens,
  }
}

const noUsage = { input_tokens: 0, cache_read_input_tokens: 0, cache_creation_input_tokens: 0, output_tokens: 0 }

function envelope({ upstream, model }: Named): object {
  return { id: `msg_${newId()}`, type: 'message', role: 'assistant', model: `${upstream}/${model}` }
}

/** The kinds of chunks that are blocks of an answer. Pieces of one block follow each other; another kind, or another call, begins the next. */
type Piece = Extract<ChatChunk, { kind: 'text' | 'thinking' | 'tool_call' }>

function isPiece(chunk: ChatChunk): chunk is Piece {
  return chunk.kind === 'text' || chunk.kind === 'thinking' || chunk.kind === 'tool_call'
}

/** Events in the order that clients rely on; usage comes last, since nobody knows it before. */
function messageWriter(answer: Named): StreamWriter {
  const event = (type: string, body: object) => `event: ${type}\ndata: ${JSON.stringify({ type, ...body })}\n\n`
  let index = -1
  let open: string | undefined
  let stop: FinishReason = 'stop'
  let usage: object = noUsage

  function close(): string {
    if (open === undefined) return ''
    open = undefined
    return event('content_block_stop', { index })
  }

  function begin(key: string, block: object): string {
    const before = close()
    index += 1
    open = key
    return before + event('content_block_start', { index, content_block: block })
  }

  function piece(chunk: Piece): string {
    const key = chunk.kind === 'tool_call' ? `tool_call ${chunk.index}` : chunk.kind
    const started = open === key ? '' : begin(key, emptyBlock(chunk))
    return started + deltasOf(chunk).map((delta) => event('content_block_delta', { index, delta })).join('')
  }

  return {
    begin: () => event('message_start', { message: { ...envelope(answer), content: [], stop_reason: null, stop_sequence: null, usage: noUsage } }),
    chunk(chunk) {
      if (isPiece(chunk)) return piece(chunk)
      if (chunk.kind === 'finish') stop = chunk.reason
      if (chunk.kind === 'usage') usage = usageOf(chunk)
      return ''
    },
    end: () => `${close()}${event('message_delta', { delta: { stop_reason: stopReasons[stop], stop_sequence: null }, usage })}${event('message_stop', {})}`,
    broken: (error) => event('error', anthropicError(error).body),
  }
}

function emptyBlock(chunk: Piece): object {
  if (chunk.kind === 'text') return { type: 'text', text: '' }
  if (chunk.kind === 'thinking') return { type: 'thinking', thinking: '', signature: '' }
  return { type: 'tool_use', id: chunk.id ?? '', name: chunk.name ?? '', input: {} }
}

function deltasOf(chunk: Piece): object[] {
  if (chunk.kind === 'text') return [{ type: 'text_delta', text: chunk.text }]
  if (chunk.kind === 'tool_call') return chunk.arguments === '' ? [] : [{ type: 'input_json_delta', partial_json: chunk.arguments }]
  return [{ type: 'thinking_delta', thinking: chunk.text }, ...(chunk.signature === undefined ? [] : [{ type: 'signature_delta', signature: chunk.signature }])]
}

/** Reads an answer to its end. Calls of tools come behind what was said, whole. */
async function wholeMessage(answer: Answer): Promise<object> {
  const said = { thinking: '', text: '' }
  const calls = new Map<number, { id: string; name: string; arguments: string }>()
  let [stop, usage]: [FinishReason, object] = ['stop', noUsage]
  for await (const chunk of answer.chunks) {
    if (chunk.kind === 'text' || chunk.kind === 'thinking') said[chunk.kind] += chunk.text
    else if (chunk.kind === 'finish') stop = chunk.reason
    else if (chunk.kind === 'usage') usage = usageOf(chunk)
    else if (chunk.kind === 'tool_call') {
      const known = calls.get(chunk.index) ?? { id: chunk.id ?? '', name: chunk.name ?? '', arguments: '' }
      calls.set(chunk.index, { ...known, arguments: known.arguments + chunk.arguments })
    }
  }
  return {
    ...envelope(answer),
    content: [
      ...(said.thinking === '' ? [] : [{ type: 'thinking', thinking: said.thinking, signature: '' }]),
      ...(said.text === '' && calls.size > 0 ? [] : [{ type: 'text', text: said.text }]),
      ...[...calls.values()].map((call) => ({ type: 'tool_use', id: call.id, name: call.name, input: inputOf(call.arguments) })),
    ],
    stop_reason: stopReasons[stop],
    stop_sequence: null,
    usage,
  }
}

/** A model may have written what is no JSON; a client of this wire can take an object only. */
function inputOf(text: string): unknown {
  try {
    return text === '' ? {} : JSON.parse(text)
  } catch {
    return { arguments: text }
  }
}
