import type { ChatMessage, ChatRequest, ContentPart, FinishReason, NativeRequest } from './chat.ts'
import { promptBytes } from './estimate.ts'
import { passedBody } from './pass.ts'

/** What Ollama knows of a model beyond its name (/api/show). */
export interface ModelDetails {
  /** Tokens; undefined when the server does not say. */
  readonly contextLength?: number
  readonly family: string
  /** In Ollama's words: `completion`, `tools`, `vision`, `thinking`, … */
  readonly capabilities: readonly string[]
  readonly thinks: boolean
  /** Takes an effort (`low`, `medium`, `high`) instead of on and off. */
  readonly thinksByEffort: boolean
}

const smallestContext = 8_192
const bytesPerToken = 3
const roomForAnswer = 2_048

/**
 * The context window to ask for. Ollama's default of 4096 drops the beginning of a longer conversation without a word; a window that
 * follows each request exactly would load the model anew each time. So: a power of two that surely holds it, up to what the model has.
 */
export function contextWindow(request: ChatRequest, model: ModelDetails): number {
  const needed = promptBytes(request) / bytesPerToken + (request.maxTokens ?? roomForAnswer)
  let window = smallestContext
  while (window < needed) window *= 2
  return Math.min(window, model.contextLength ?? window)
}

// newer servers then say that a conversation is too long instead of cutting it; older ones do not know the fields
const uncut = { truncate: false, shift: false }

/** The body of /api/chat. */
export function toOllama(request: ChatRequest, model: ModelDetails): Record<string, unknown> {
  const options: Record<string, unknown> = { num_ctx: contextWindow(request, model) }
  const given = {
    temperature: request.temperature,
    top_p: request.topP,
    top_k: request.topK,
    num_predict: request.maxTokens,
    stop: request.stop,
    seed: request.seed,
    presence_penalty: request.presencePenalty,
    frequency_penalty: request.frequencyPenalty,
  }
  for (const [name, value] of Object.entries(given)) if (value !== undefined) options[name] = value
  const tools = offeredTools(request)
  const think = thinkOption(request, model)
  return {
    model: request.model,
    messages: request.messages.map((message) => toMessage(message, request.messages)),
    stream: true,
    ...uncut,
    options,
    ...(tools.length === 0 ? {} : { tools }),
    ...(think === undefined ? {} : { think }),
    ...(request.format === undefined ? {} : { format: request.format.type === 'json' ? 'json' : request.format.schema }),
  }
}

/** Those of a client's own fields that change the answer and nothing else. How long a model stays loaded, and on what, is not for one client to say. */
const passedFields = { chat: new Set(['messages', 'tools', 'format']), generate: new Set(['prompt', 'system', 'images', 'format']) } as const
const passedOptions = [
  'temperature', 'top_p', 'top_k', 'min_p', 'typical_p', 'tfs_z', 'seed', 'stop', 'num_predict', 'num_keep', 'repeat_last_n', 'repeat_penalty', 'presence_penalty',
  'frequency_penalty', 'penalize_newline', 'mirostat', 'mirostat_tau', 'mirostat_eta',
]

/** A client's own body, for a daemon. It may ask for more context than the conversation takes, up to what the model has, and not for less. */
export function passedOllama(native: NativeRequest, request: ChatRequest, model: ModelDetails): Record<string, unknown> {
  const given = (native.body['options'] ?? {}) as Readonly<Record<string, unknown>>
  const options = Object.fromEntries(passedOptions.flatMap((name) => (given[name] == null ? [] : [[name, given[name]]])))
  const wanted = typeof given['num_ctx'] === 'number' ? Math.min(given['num_ctx'], model.contextLength ?? 0) : 0
  return passedBody(native, native.wire === 'ollama-generate' ? passedFields.generate : passedFields.chat, {
    model: request.model,
    stream: native.stream,
    ...uncut,
    options: { num_ctx: Math.max(contextWindow(request, model), wanted), ...options },
    think: model.thinks ? (native.body['think'] ?? undefined) : undefined,
  })
}

/** Ollama cannot be made to call a tool; offering only the wanted one, or none, is as near as it gets. */
function offeredTools(request: ChatRequest): object[] {
  const choice = request.toolChoice
  if (choice === 'none') return []
  return (request.tools ?? [])
    .filter((tool) => typeof choice !== 'object' || tool.name === choice.name)
    .map((tool) => ({
      type: 'function',
      function: { name: tool.name, description: tool.description ?? '', parameters: tool.parameters ?? { type: 'object', properties: {} } },
    }))
}

/** Asking a model to think that cannot is an error there, so nothing is said to those. */
function thinkOption(request: ChatRequest, model: ModelDetails): boolean | string | undefined {
  if (!model.thinks || request.reasoning === undefined) return undefined
  if (request.reasoning === 'none') return false
  if (!model.thinksByEffort) return true
  return request.reasoning === 'minimal' ? 'low' : request.reasoning
}

function toMessage(message: ChatMessage, all: readonly ChatMessage[]): object {
  const parts: readonly ContentPart[] = typeof message.content === 'string' ? [{ type: 'text', text: message.content }] : message.content
  const images = parts.filter((part) => part.type === 'image').map((part) => part.data)
  const toolName = message.role === 'tool' ? nameOfCall(message.toolCallId, all) : undefined
  return {
    role: message.role,
    content: parts.filter((part) => part.type === 'text').map((part) => part.text).join('\n'),
    ...(images.length === 0 ? {} : { images }),
    ...(message.thinking === undefined ? {} : { thinking: message.thinking }),
    ...(message.toolCalls === undefined ? {} : { tool_calls: message.toolCalls.map((call) => ({ function: { name: call.name, arguments: objectOf(call.arguments) } })) }),
    ...(toolName === undefined ? {} : { tool_name: toolName }),
  }
}

/** Ollama names the tool of a result where OpenAI gives the id of the call. */
function nameOfCall(id: string | undefined, all: readonly ChatMessage[]): string | undefined {
  for (const message of all) {
    const call = message.toolCalls?.find((made) => made.id === id)
    if (call) return call.name
  }
  return undefined
}

/** Ollama wants arguments as an object; what a model wrote may be none. */
function objectOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : { value }
  } catch {
    return { text }
  }
}

export function finishReason(reason: string | undefined, calledTools: boolean): FinishReason {
  if (reason === 'length') return 'length'
  return calledTools ? 'tool_calls' : 'stop'
}
