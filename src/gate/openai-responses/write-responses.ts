import { newId } from '../../kernel/ids.ts'
import type { ChatChunk, FinishReason } from '../../models/index.ts'
import type { Named, StreamWriter, Wire } from '../wire.ts'
import { openaiError, toldError } from '../wire-error.ts'
import { createAnswerItems } from './answer-items.ts'
import type { ResponsesCall } from './read-responses.ts'

type Asked = Pick<ResponsesCall, 'echo' | 'tools'>
type Usage = Extract<ChatChunk, { kind: 'usage' }>

/** OpenAI's responses. */
export function openaiResponses(echo: Asked['echo'], tools: Asked['tools']): Wire {
  return {
    contentType: 'text/event-stream; charset=utf-8',
    whole: async (answer, now) => {
      const response = createResponse({ echo, tools }, answer, now, () => {})
      for await (const chunk of answer.chunks) response.take(chunk)
      return response.end()
    },
    stream: (answer, now) => eventWriter({ echo, tools }, answer, now),
    error: openaiError,
  }
}

/** Writes the life of a response as events, each with its type twice and its number, as clients expect them. */
function eventWriter(asked: Asked, answer: Named, now: Date): StreamWriter {
  let said = ''
  let sequence = 0
  let last: Uint8Array | undefined
  const emit = (type: string, body: object) => {
    said += `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence, ...body })}\n\n`
    sequence += 1
  }
  const taken = () => {
    const text = said
    said = ''
    return text
  }
  const response = createResponse(asked, answer, now, emit)
  return {
    begin() {
      emit('response.created', { response: response.now('in_progress') })
      emit('response.in_progress', { response: response.now('in_progress') })
      return taken()
    },
    chunk(chunk) {
      response.take(chunk)
      return taken()
    },
    end() {
      const ended = response.end()
      emit(`response.${ended.status}`, { response: ended })
      return taken()
    },
    passed(events) {
      last = events
    },
    broken(error) {
      const { code, message, param } = toldError(error)
      sequence = numberAfter(last) ?? sequence
      // of a chunk that could not be written half may be here
      taken()
      emit('error', { code, message, param: param ?? null })
      emit('response.failed', { response: { ...response.now('failed'), error: { code: failureOf(code), message } } })
      return taken()
    },
  }
}

/** Who ends what an upstream began goes on counting where it stopped. */
function numberAfter(events: Uint8Array | undefined): number | undefined {
  const numbers = events && [...Buffer.from(events).toString('utf8').matchAll(/^data: ?\{.*?"sequence_number": ?(\d+)/gm)]
  return numbers?.length ? Number(numbers.at(-1)![1]) + 1 : undefined
}

type Status = 'in_progress' | 'completed' | 'incomplete' | 'failed'

function createResponse({ echo, tools }: Asked, { upstream, model }: Named, created: Date, emit: (type: string, body: object) => void) {
  const items = createAnswerItems(emit, tools)
  const id = `resp_${newId()}`
  let finish: FinishReason = 'stop'
  let usage: Usage | undefined
  const now = (status: Status) => ({
    id,
    object: 'response' as const,
    created_at: Math.floor(created.getTime() / 1000),
    status,
    background: false,
    error: null,
    incomplete_details: status === 'incomplete' ? { reason: finish === 'length' ? 'max_output_tokens' : 'content_filter' } : null,
    model: `${upstream}/${model}`,
    output: items.output(status === 'in_progress' || status === 'completed' ? status : 'incomplete'),
    previous_response_id: null,
    store: false,
    truncation: 'disabled',
    ...echo,
    usage: usage ? usageOf(usage) : null,
  })
  return {
    now,
    take(chunk: ChatChunk): void {
      if (chunk.kind === 'finish') {
        finish = chunk.reason
        items.close(statusOf(finish))
      } else if (chunk.kind === 'usage') usage = chunk
      else items.take(chunk)
    },
    end() {
      const status = statusOf(finish)
      items.close(status)
      return now(status)
    },
  }
}

function statusOf(finish: FinishReason): 'completed' | 'incomplete' {
  return finish === 'length' || finish === 'content_filter' ? 'incomplete' : 'completed'
}

/** The codes that OpenAI has for a response that failed are few. */
function failureOf(code: string): string {
  return code === 'upstream.limited' ? 'rate_limit_exceeded' : 'server_error'
}

function usageOf({ inputTokens, outputTokens, cachedTokens, cacheWriteTokens, reasoningTokens }: Usage): object {
  return {
    input_tokens: inputTokens,
    input_tokens_details: { cached_tokens: cachedTokens ?? 0, cache_write_tokens: cacheWriteTokens ?? 0 },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: reasoningTokens ?? 0 },
    total_tokens: inputTokens + outputTokens,
  }
}
