import type { ChatMessage, ChatRequest, FinishReason } from './chat.ts'

/** The body of /v1/chat/completions. Only fields that change the answer: nothing that makes a provider store, tag or share what it is sent. */
export function toOpenai(request: ChatRequest): Record<string, unknown> {
  const body: Record<string, unknown> = {
    model: request.model,
    messages: request.messages.map(toMessage),
    stream: true,
    stream_options: { include_usage: true },
  }
  const given = {
    temperature: request.temperature,
    top_p: request.topP,
    [request.maxTokensIsNewName ? 'max_completion_tokens' : 'max_tokens']: request.maxTokens,
    stop: request.stop,
    seed: request.seed,
    presence_penalty: request.presencePenalty,
    frequency_penalty: request.frequencyPenalty,
    parallel_tool_calls: request.parallelToolCalls,
    reasoning_effort: request.reasoning,
    tools: request.tools?.map(({ name, description, parameters, strict }) => ({ type: 'function', function: { name, description, parameters, strict } })),
    tool_choice: typeof request.toolChoice === 'object' ? { type: 'function', function: { name: request.toolChoice.name } } : request.toolChoice,
    response_format: formatOf(request),
  }
  for (const [name, value] of Object.entries(given)) if (value !== undefined) body[name] = value
  return body
}

function formatOf({ format }: ChatRequest): object | undefined {
  if (format === undefined) return undefined
  if (format.type === 'json') return { type: 'json_object' }
  return { type: 'json_schema', json_schema: { name: format.name, schema: format.schema, strict: format.strict } }
}

function toMessage(message: ChatMessage): object {
  const content = typeof message.content === 'string' ? message.content : message.content.map(toPart)
  return {
    role: message.role,
    content: message.toolCalls !== undefined && message.content === '' ? null : content,
    ...(message.toolCallId === undefined ? {} : { tool_call_id: message.toolCallId }),
    ...(message.toolCalls === undefined
      ? {}
      : { tool_calls: message.toolCalls.map((call) => ({ id: call.id, type: 'function', function: { name: call.name, arguments: call.arguments } })) }),
  }
}

function toPart(part: Exclude<ChatMessage['content'], string>[number]): object {
  if (part.type === 'text') return part
  return { type: 'image_url', image_url: { url: `data:${part.mediaType};base64,${part.data}` } }
}

/** Some servers say `stop` after tool calls. */
export function finishReason(reason: string, calledTools: boolean): FinishReason {
  if (reason === 'length' || reason === 'content_filter') return reason
  return calledTools || reason === 'tool_calls' || reason === 'function_call' ? 'tool_calls' : 'stop'
}
