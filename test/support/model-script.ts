/** What a scripted model says, and how it misbehaves. */

/** A tool call as a model makes it; arguments are an object, as in Ollama's wire. */
export interface ScriptedToolCall {
  readonly name: string
  readonly arguments: Record<string, unknown>
}

export type Misbehaviour =
  /** Answers with a status and no model output. */
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: number | string; readonly message?: string }
  /** Takes the request and says nothing until `release()`. */
  | { readonly kind: 'stall' }
  /** Says this many pieces, then nothing until `release()`. */
  | { readonly kind: 'pause'; readonly after: number }
  /** Says this many pieces, then drops the connection. */
  | { readonly kind: 'die'; readonly after: number }
  /** Says this many pieces, then reports an error inside the stream. */
  | { readonly kind: 'error'; readonly after: number; readonly message: string }
  /** Says this many pieces, then ends as if nothing were missing. */
  | { readonly kind: 'cut'; readonly after: number }
  /** Says this many pieces, then something that is not JSON. */
  | { readonly kind: 'malformed'; readonly after: number }
  /** Waits this long before each piece. */
  | { readonly kind: 'slow'; readonly milliseconds: number }

/** Peculiarities of servers in the field that speak the OpenAI wire. */
export type Quirk =
  | 'no-usage' // no usage at all
  | 'usage-in-choices' // usage on the last chunk that still has a choice
  | 'usage-everywhere' // usage so far on every chunk
  | 'usage-at-end' // nothing counted at the beginning, all of it at the end (messages)
  | 'no-prompt-count' // the prompt was in the cache, so its tokens are not said (Ollama)
  | 'empty-tool-calls' // `tool_calls: []` on every delta
  | 'content-in-first-delta' // the first delta has the role and text at once
  | 'no-done' // the stream ends without [DONE]
  | 'done-only' // no deltas, only what is done (responses)
  | 'arguments-once' // arguments of a call in its `.done` event alone (responses)
  | 'keep-alive' // comments between events, empty lines between lines
  | 'in-small-pieces' // bytes come in splits inside UTF-8 and JSON
  | 'stop-after-tools' // finish_reason is stop although tools were called

export interface ScriptedAnswer {
  readonly thinking?: readonly string[]
  /** The pieces it is streamed in. */
  readonly text?: readonly string[]
  readonly toolCalls?: readonly ScriptedToolCall[]
  readonly finish?: 'stop' | 'length'
  readonly usage?: { readonly input: number; readonly output: number }
  readonly misbehaves?: Misbehaviour
  readonly quirks?: readonly Quirk[]
}

export interface ScriptedModel {
  readonly name: string
  readonly family?: string
  readonly contextLength?: number
  readonly capabilities?: readonly string[]
  /** Where Ollama runs it, when that is not here. */
  readonly remoteHost?: string
}

/** One piece of a model's answer, before it is put on a wire. */
export type Piece =
  | { readonly thinking: string }
  | { readonly text: string }
  | { readonly toolCall: ScriptedToolCall; readonly index: number }

export function piecesOf(answer: ScriptedAnswer): Piece[] {
  return [
    ...(answer.thinking ?? []).map((thinking) => ({ thinking })),
    ...(answer.text ?? []).map((text) => ({ text })),
    ...(answer.toolCalls ?? []).map((toolCall, index) => ({ toolCall, index })),
  ]
}

export const whole = (answer: ScriptedAnswer, part: 'text' | 'thinking'): string => (answer[part] ?? []).join('')
