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
  /** By which a provider knows its own thinking again. Means nothing to another. */
  readonly thinkingSignature?: string
  readonly toolCalls?: readonly ToolCall[]
  /** Of a tool's result: the call that it answers. */
  readonly toolCallId?: string
  /** Of a tool's result: the tool failed. */
  readonly isError?: boolean
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
  readonly topK?: number
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

/** The wires that clients and upstreams speak. */
export type WireName = 'openai-chat' | 'openai-responses' | 'anthropic-messages' | 'gemini' | 'ollama-chat' | 'ollama-generate'

/** A request as a client sent it. An upstream of the same wire may be sent it as it is, but for the model's name and what names or stores things at a provider. */
export interface NativeRequest {
  readonly wire: WireName
  readonly body: Readonly<Record<string, unknown>>
  /** Those that the wire lets through, e.g. `anthropic-beta`. Never one with a key. */
  readonly headers: Readonly<Record<string, string>>
  readonly stream: boolean
}

export interface ChatRequest extends Conversation {
  /** The upstream's own name for the model. */
  readonly model: string
  readonly native?: NativeRequest | undefined
}

export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter'

/** One step of an answer. Every complete answer has exactly one `finish`; an upstream may leave `usage` out, then it is estimated. */
export type ChatChunk =
  /** `signature` comes with the last of one thought. */
  | { readonly kind: 'thinking'; readonly text: string; readonly signature?: string }
  | { readonly kind: 'text'; readonly text: string }
  /** `id` and `name` come with the first fragment of a call; `arguments` are joined over its fragments. */
  | { readonly kind: 'tool_call'; readonly index: number; readonly id?: string; readonly name?: string; readonly arguments: string }
  | { readonly kind: 'finish'; readonly reason: FinishReason }
  /** Tokens. `inputTokens` count what was read from a cache and written to it, `outputTokens` what was thought. */
  | { readonly kind: 'usage'; readonly inputTokens: number; readonly outputTokens: number; readonly cachedTokens?: number; readonly cacheWriteTokens?: number; readonly reasoningTokens?: number }
  /**
   * A piece of the upstream's own answer, for a client that speaks the same wire. An answer that has them begins with one, and then
   * is told by them alone: its chunks of other kinds are for the ledger.
   */
  | { readonly kind: 'native'; readonly bytes: Uint8Array }
