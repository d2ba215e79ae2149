import type { ChatMessage, ChatRequest, NativeRequest } from './chat.ts'
import { passedBody } from './pass.ts'

/** The wire wants a limit; a caller that named none gets room for a long answer of any of its models. */
const usualAnswer = 8_192
const thinkingTokens = { minimal: 1_024, low: 2_048, medium: 8_192, high: 16_384 } as const
const leastThinking = 1_024

/** Those of a client's own fields that change the answer and nothing else. */
const passedFields: ReadonlySet<string> = new Set([
  'messages', 'system', 'max_tokens', 'temperature', 'top_p', 'top_k', 'stop_sequences', 'tools', 'tool_choice', 'thinking', 'output_config', 'output_format',
  'context_management', 'cache_control',
])

export function passedMessages(native: NativeRequest, model: string): Record<string, unknown> {
  return passedBody(native, passedFields, { model, stream: native.stream || undefined })
}

/** Of these, those that a count of tokens takes. */
const countedFields: ReadonlySet<string> = new Set(['messages', 'system', 'tools', 'tool_choice', 'thinking', 'output_config', 'output_format', 'context_management', 'cache_control'])

/** The body of /v1/messages/count_tokens. */
export function countedMessages(native: NativeRequest, model: string): Record<string, unknown> {
  return passedBody(native, countedFields, { model })
}

/** The body of /v1/messages. */
export function toMessages(request: ChatRequest): Record<string, unknown> {
  const system = request.messages.filter(({ role }) => role === 'system').map(({ content }) => textOf(content)).join('\n\n')
  const thinking = thinkingOf(request)
  const given = {
    system: system === '' ? undefined : system,
    temperature: thinking ? undefined : request.temperature === undefined ? undefined : Math.min(1, request.temperature),
    top_p: thinking ? undefined : request.topP,
    top_k: thinking ? undefined : request.topK,
    stop_sequences: request.stop,
    tools: request.tools?.map(({ name, description, parameters }) => ({ name, description, input_schema: parameters ?? { type: 'object', properties: {} } })),
    tool_choice: choiceOf(request),
    output_config: request.format?.type === 'schema' ? { format: { type: 'json_schema', schema: request.format.schema } } : undefined,
    thinking,
  }
  return {
    model: request.model,
    max_tokens: request.maxTokens ?? usualAnswer + (thinking?.budget_tokens ?? 0),
    stream: true,
    messages: joinTurns(request.messages.filter(({ role }) => role !== 'system').map(toTurn)),
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  }
}

/** Thinking takes part of the answer's tokens, and goes with no tool that must be called. */
function thinkingOf({ reasoning, maxTokens, toolChoice }: ChatRequest): { type: 'enabled'; budget_tokens: number } | undefined {
  if (reasoning === undefined || reasoning === 'none' || toolChoice === 'required' || typeof toolChoice === 'object') return undefined
  const budget = Math.min(thinkingTokens[reasoning], maxTokens === undefined ? Infinity : Math.floor(maxTokens / 2))
  return budget < leastThinking ? undefined : { type: 'enabled', budget_tokens: budget }
}

function choiceOf({ toolChoice, parallelToolCalls, tools }: ChatRequest): object | undefined {
  if (!tools || tools.length === 0) return undefined
  const alone = parallelToolCalls === false ? { disable_parallel_tool_use: true } : {}
  if (toolChoice === undefined) return parallelToolCalls === false ? { type: 'auto', ...alone } : undefined
  if (typeof toolChoice === 'object') return { type: 'tool', name: toolChoice.name, ...alone }
  return toolChoice === 'none' ? { type: 'none' } : { type: toolChoice === 'required' ? 'any' : 'auto', ...alone }
}

interface Turn {
  readonly role: 'user' | 'assistant'
  readonly content: readonly object[]
}

/** What was thought before is left out: it counts only with the provider's own signature. */
function toTurn(message: ChatMessage): Turn {
  if (message.role === 'tool') {
    return { role: 'user', content: [{ type: 'tool_result', tool_use_id: message.toolCallId, content: blocksOf(message.content), ...(message.isError && { is_error: true }) }] }
  }
  const calls = (message.toolCalls ?? []).map((call) => ({ type: 'tool_use', id: call.id, name: call.name, input: inputOf(call.arguments) }))
  return { role: message.role === 'assistant' ? 'assistant' : 'user', content: [...blocksOf(message.content), ...calls] }
}

/** Turns alternate: what one side says in several messages is one turn. */
function joinTurns(turns: readonly Turn[]): Turn[] {
  const joined: Turn[] = []
  for (const turn of turns.filter(({ content }) => content.length > 0)) {
    const last = joined.at(-1)
    if (last?.role === turn.role) joined[joined.length - 1] = { role: turn.role, content: [...last.content, ...turn.content] }
    else joined.push(turn)
  }
  return joined
}

/** An empty text is refused there. */
function blocksOf(content: ChatMessage['content']): object[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }]
  return content.flatMap((part): object[] => {
    if (part.type === 'image') return [{ type: 'image', source: { type: 'base64', media_type: part.mediaType, data: part.data } }]
    return part.text === '' ? [] : [{ type: 'text', text: part.text }]
  })
}

function textOf(content: ChatMessage['content']): string {
  return typeof content === 'string' ? content : content.map((part) => (part.type === 'text' ? part.text : '')).join('')
}

function inputOf(text: string): unknown {
  try {
    return text === '' ? {} : JSON.parse(text)
  } catch {
    return { arguments: text }
  }
}
