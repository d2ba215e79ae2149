import { newId } from '../../kernel/ids.ts'
import type { Answer, ChatChunk, FinishReason, ToolCall } from '../../models/index.ts'
import type { Named, StreamWriter, Wire } from '../wire.ts'
import { openaiError } from '../wire-error.ts'

/** OpenAI's chat completions. */
export function openaiChat(includeUsage: boolean): Wire {
  return {
    contentType: 'text/event-stream; charset=utf-8',
    whole: wholeAnswer,
    stream: (answer, now) => eventWriter(answer, includeUsage, now),
    error: openaiError,
  }
}

/** Writes OpenAI's `chat.completion.chunk` events. */
function eventWriter(answer: Named, includeUsage: boolean, now: Date): StreamWriter {
  const envelope = { id: `chatcmpl-${newId()}`, object: 'chat.completion.chunk', created: seconds(now), model: `${answer.upstream}/${answer.model}` }
  const event = (body: object) => `data: ${JSON.stringify({ ...envelope, ...body })}\n\n`
  const delta = (content: object, finish: FinishReason | null = null) =>
    event({ choices: [{ index: 0, delta: content, logprobs: null, finish_reason: finish }], ...(includeUsage ? { usage: null } : {}) })
  return {
    // the first delta has the role
    begin: () => delta({ role: 'assistant', content: '' }),
    chunk(chunk) {
      switch (chunk.kind) {
        case 'text':
          return delta({ content: chunk.text })
        case 'thinking':
          return delta({ reasoning_content: chunk.text })
        case 'tool_call':
          return delta({ tool_calls: [toolCallDelta(chunk)] })
        case 'finish':
          return delta({}, chunk.reason)
        case 'usage':
          return includeUsage ? event({ choices: [], usage: usageOf(chunk) }) : ''
        case 'native':
          return ''
      }
    },
    end: () => 'data: [DONE]\n\n',
    broken: (error) => `data: ${JSON.stringify(openaiError(error).body)}\n\n`,
  }
}

function toolCallDelta(chunk: Extract<ChatChunk, { kind: 'tool_call' }>): object {
  const { index, id, name } = chunk
  return { index, ...(id ? { id, type: 'function' } : {}), function: { ...(name ? { name } : {}), arguments: chunk.arguments } }
}

/** Reads an answer to its end, as OpenAI's `chat.completion`. */
async function wholeAnswer(answer: Answer, now: Date): Promise<object> {
  const calls = new Map<number, ToolCall>()
  const said = { text: '', thinking: '' }
  let finish: FinishReason = 'stop'
  let usage: object | undefined
  for await (const chunk of answer.chunks) {
    if (chunk.kind === 'text' || chunk.kind === 'thinking') said[chunk.kind] += chunk.text
    else if (chunk.kind === 'finish') finish = chunk.reason
    else if (chunk.kind === 'usage') usage = usageOf(chunk)
    else if (chunk.kind === 'tool_call') calls.set(chunk.index, joinCall(calls.get(chunk.index), chunk))
  }
  const toolCalls = [...calls.entries()].sort(([a], [b]) => a - b).map(([, call]) => call)
  return {
    id: `chatcmpl-${newId()}`,
    object: 'chat.completion',
    created: seconds(now),
    model: `${answer.upstream}/${answer.model}`,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: said.text === '' && toolCalls.length > 0 ? null : said.text,
          refusal: null,
          ...(said.thinking === '' ? {} : { reasoning_content: said.thinking }),
          ...(toolCalls.length === 0
            ? {}
            : { tool_calls: toolCalls.map((call) => ({ id: call.id, type: 'function', function: { name: call.name, arguments: call.arguments } })) }),
        },
        logprobs: null,
        finish_reason: finish,
      },
    ],
    ...(usage ? { usage } : {}),
  }
}

function joinCall(known: ToolCall | undefined, chunk: Extract<ChatChunk, { kind: 'tool_call' }>): ToolCall {
  return {
    id: known?.id ?? chunk.id ?? '',
    name: known?.name || (chunk.name ?? ''),
    arguments: (known?.arguments ?? '') + chunk.arguments,
  }
}

function usageOf({ inputTokens, outputTokens, cachedTokens, reasoningTokens }: Extract<ChatChunk, { kind: 'usage' }>): object {
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    ...(cachedTokens !== undefined && { prompt_tokens_details: { cached_tokens: cachedTokens } }),
    ...(reasoningTokens !== undefined && { completion_tokens_details: { reasoning_tokens: reasoningTokens } }),
  }
}

function seconds(time: Date): number {
  return Math.floor(time.getTime() / 1000)
}
