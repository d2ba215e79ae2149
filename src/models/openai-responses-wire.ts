import { Fault } from '../kernel/fault.ts'
import type { ChatMessage, ChatRequest, ContentPart, NativeRequest } from './chat.ts'
import { passedBody } from './pass.ts'

/** Those that change the answer and nothing else. */
const passedFields: ReadonlySet<string> = new Set([
  'input', 'instructions', 'temperature', 'top_p', 'max_output_tokens', 'max_tool_calls', 'parallel_tool_calls', 'reasoning', 'text', 'tools', 'tool_choice',
  'include', 'truncation', 'stream_options',
])

/** The body of /v1/responses. `store` is always said, since a server that is told nothing stores. */
export function toResponses(name: string, request: ChatRequest): Record<string, unknown> {
  if (request.stop !== undefined) {
    throw new Fault('invalid', 'request.unsupported', `stop is not served by upstream ${name}: the wire of responses has none; leave it out, or declare the upstream with kind openai`, { param: 'stop' })
  }
  const body: Record<string, unknown> = { model: request.model, input: request.messages.flatMap(toItems), stream: true, store: false }
  const given = {
    temperature: request.temperature,
    top_p: request.topP,
    max_output_tokens: request.maxTokens,
    parallel_tool_calls: request.parallelToolCalls,
    reasoning: request.reasoning === undefined ? undefined : { effort: request.reasoning },
    tools: request.tools?.map(({ name: called, description, parameters, strict }) => ({
      type: 'function', name: called, description, parameters: parameters ?? { type: 'object', properties: {} },
      // left out it would be true here, and then many a schema is refused
      strict: strict ?? false,
    })),
    tool_choice: typeof request.toolChoice === 'object' ? { type: 'function', name: request.toolChoice.name } : request.toolChoice,
    text: textOf(request),
  }
  for (const [field, value] of Object.entries(given)) if (value !== undefined) body[field] = value
  return body
}

/** A client's own body, for a server of the same wire. */
export function passedResponses(native: NativeRequest, model: string): Record<string, unknown> {
  const { input, include } = native.body
  const wanted = Array.isArray(include) ? (include as unknown[]).filter((part) => part === 'reasoning.encrypted_content') : undefined
  return passedBody(native, passedFields, {
    model,
    stream: native.stream,
    store: false,
    ...(Array.isArray(input) ? { input: input.filter(isUnderstood) } : {}),
    ...(wanted === undefined ? {} : { include: wanted }),
  })
}

/** A thought that is not in the item itself would be looked for in a store where it never was, such as one that another upstream had. */
function isUnderstood(item: unknown): boolean {
  const { type, encrypted_content: thought } = (item ?? {}) as { type?: unknown; encrypted_content?: unknown }
  return type !== 'reasoning' || typeof thought === 'string'
}

function textOf({ format }: ChatRequest): object | undefined {
  if (format === undefined) return undefined
  return { format: format.type === 'json' ? { type: 'json_object' } : { type: 'json_schema', name: format.name, schema: format.schema, strict: format.strict ?? false } }
}

function toItems(message: ChatMessage): object[] {
  const { role, content, toolCalls, toolCallId } = message
  if (role === 'tool') return [{ type: 'function_call_output', call_id: toolCallId, output: typeof content === 'string' ? content : content.map(toInput) }]
  const calls = (toolCalls ?? []).map(({ id, name, arguments: text }) => ({ type: 'function_call', call_id: id, name, arguments: text }))
  if (role !== 'assistant') return [{ role, content: typeof content === 'string' ? content : content.map(toInput) }]
  const said = typeof content === 'string' ? content : content.map((part) => (part.type === 'text' ? part.text : '')).join('\n')
  return [...(said === '' ? [] : [{ role, content: said }]), ...calls]
}

function toInput(part: ContentPart): object {
  if (part.type === 'text') return { type: 'input_text', text: part.text }
  return { type: 'input_image', image_url: `data:${part.mediaType};base64,${part.data}`, detail: 'auto' }
}
