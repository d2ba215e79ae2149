/** A conversation as every upstream adapter takes it, and a model's answer as every adapter gives it: independent of any wire. */

export type ContentPart =
  | { readonly type: 'text'; readonly text: string }
  /** Always the bytes, never an address: a model server must not be made to fetch one. `data` is base64. */
  | { readonly type: 'image'; readonly mediaType: string; readonly data: string }

export interface ToolCall {
  readonly id: string
  readonly name: string
  /** JSON text, as the model wrote it. */
  readonly arguments: string
}

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool'
  readonly content: string | readonly ContentPart[]
  readonly thinking?: string
  readonly toolCalls?: readonly ToolCall[]
  /** Of a tool's result: the call that it answers. */
  readonly toolCallId?: string
}

/** A function that the model may ask for. Nothing that the provider would run by itself. */
export interface FunctionTool {
  readonly name: string
  readonly description?: string
  /** JSON schema. */
  readonly parameters?: Record<string, unknown>
  readonly strict?: boolean
}

export type ResponseFormat =
  | { readonly type: 'json' }
  | { readonly type: 'schema'; readonly name: string; readonly schema: Record<string, unknown>; readonly strict?: boolean }

/** Everything of a request but which model answers it. */
export interface Conversation {
  readonly messages: readonly ChatMessage[]
  readonly tools?: readonly FunctionTool[]
  readonly toolChoice?: 'auto' | 'none' | 'required' | { readonly name: string }
  readonly parallelToolCalls?: boolean
  readonly temperature?: number
  readonly topP?: number
  /** Tokens. */
  readonly maxTokens?: number
  /** Was the limit given as `max_completion_tokens`? Newer OpenAI models know only that name, other servers only the older one. */
  readonly maxTokensIsNewName?: boolean
  readonly stop?: readonly string[]
  readonly seed?: number
  readonly presencePenalty?: number
  readonly frequencyPenalty?: number
  readonly format?: ResponseFormat
  readonly reasoning?: 'none' | 'minimal' | 'low' | 'medium' | 'high'
}

export interface ChatRequest extends Conversation {
  /** The upstream's own name for the model. */
  readonly model: string
}

export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter'

/** One step of an answer. Every complete answer has exactly one `finish`; an upstream may leave `usage` out, then it is estimated. */
export type ChatChunk =
  | { readonly kind: 'thinking'; readonly text: string }
  | { readonly kind: 'text'; readonly text: string }
  /** `id` and `name` come with the first fragment of a call; `arguments` are joined over its fragments. */
  | { readonly kind: 'tool_call'; readonly index: number; readonly id?: string; readonly name?: string; readonly arguments: string }
  | { readonly kind: 'finish'; readonly reason: FinishReason }
  /** Tokens that were in the cache, or were put into it, are among those of the input; those of reasoning are among those of the output. */
  | {
      readonly kind: 'usage'
      readonly inputTokens: number
      readonly outputTokens: number
      readonly cachedTokens?: number
      readonly cacheWriteTokens?: number
      readonly reasoningTokens?: number
    }
