import type { Upstream as DeclaredUpstream } from '../house/index.ts'
import type { Zone } from '../labels/index.ts'
import type { ChatChunk, ChatRequest } from './chat.ts'
import type { TokenCounter } from './count-over.ts'
import type { Embeddings, EmbedRequest } from './embedding.ts'

/** A model as an upstream lists it. */
export interface ModelInfo {
  readonly name: string
  /** Where it really runs: a `:cloud` model behind a local daemon is a cloud model. */
  readonly zone: Zone
  /** Makes vectors, not answers. */
  readonly embedding: boolean
}

/** What an upstream knows of a model beyond its name. */
export interface ModelDescription {
  readonly family: string
  /** In Ollama's words: `completion`, `tools`, `vision`, `thinking`, … */
  readonly capabilities: readonly string[]
  /** Tokens. */
  readonly contextLength?: number
}

/** A server of models: the port that every adapter implements and `upstream.contract.ts` checks. */
export interface Upstream {
  readonly name: string
  readonly zone: Zone
  /** Must a model be listed by `models()` before it may be asked? True where the list says things about a model that the request must obey. */
  readonly listsAll: boolean
  /**
   * Streams an answer. Faults: `unavailable` and `timeout` (another upstream may be tried), `missing` (no such model),
   * `invalid` (the request is at fault). When `signal` aborts, the request is dropped and the reason of the signal is thrown.
   */
  chat(request: ChatRequest, signal: AbortSignal): AsyncIterable<ChatChunk>
  /** Makes vectors of texts, for upstreams that can. Faults as of `chat`. */
  embed?(request: EmbedRequest, signal: AbortSignal): Promise<Embeddings>
  /** For upstreams that count tokens before a call. */
  readonly countTokens?: TokenCounter
  /** For upstreams that can say more of a model than that they have it. */
  describe?(model: string): Promise<ModelDescription>
  models(signal?: AbortSignal): Promise<ModelInfo[]>
  close(): Promise<void>
}

/** Milliseconds. The first byte may take long: a local model is loaded first. */
export interface UpstreamTimeouts {
  readonly connect: number
  readonly firstByte: number
  readonly idle: number
}

export const defaultTimeouts: UpstreamTimeouts = { connect: 3_000, firstByte: 180_000, idle: 60_000 }

/** What the house says about an upstream, and what a test may add. */
export type UpstreamSettings = DeclaredUpstream & { readonly timeouts?: Partial<UpstreamTimeouts> }
