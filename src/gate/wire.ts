import type { Answer, ChatChunk } from '../models/index.ts'
import type { WireError } from './wire-error.ts'

/** How one wire tells a client what a model answers. One for each request, since clients choose some of it. */
export interface Wire {
  /** Of a stream. */
  readonly contentType: string
  /** A whole answer, as JSON. Reads the answer to its end. */
  whole(answer: Answer, now: Date): Promise<object>
  stream(answer: Named, now: Date): StreamWriter
  /** An error, before anything was answered. */
  error(error: unknown): WireError
}

export type Named = Pick<Answer, 'upstream' | 'model'>

/** The text of a streamed answer, piece by piece; nothing for chunks that the wire or the client has no use for. */
export interface StreamWriter {
  begin(): string
  chunk(chunk: ChatChunk): string
  /** For a client that wants what an upstream of its own wire says in another frame. Left out: it reads the bytes themselves. */
  readonly native?: { bytes(bytes: Uint8Array): string; end(): string }
  end(): string
  /** Events of the upstream's own that the client was shown instead, for a wire whose own words must fit behind them. */
  passed?(events: Uint8Array): void
  /** What a client reads instead of the end when an answer breaks off. */
  broken(error: unknown): string
}
