import type { Upstream } from '../../../src/house/index.ts'

export type WireName = 'openai-chat' | 'openai-responses' | 'anthropic-messages' | 'gemini' | 'ollama'
/** Those with a wire of their own; dialects of OpenAI's are tested beside their adapter. */
export type UpstreamKind = Exclude<Upstream['kind'], 'mistral' | 'moonshot'>

/** A request before it is put on a wire, and what an upstream was sent when it is read back from one. */
export interface Ask {
  readonly system?: string | undefined
  readonly turns: readonly Turn[]
  readonly tools?: readonly { readonly name: string; readonly parameters: object }[] | undefined
  readonly toolChoice?: 'required' | 'none' | { readonly name: string } | undefined
  /** One call at a time. */
  readonly oneCall?: true | undefined
  readonly schema?: object | undefined
  readonly json?: true | undefined
  readonly effort?: string | undefined
  readonly maxTokens?: number | undefined
  readonly temperature?: number | undefined
  readonly topP?: number | undefined
  readonly topK?: number | undefined
  readonly stop?: readonly string[] | undefined
  readonly seed?: number | undefined
  readonly penalty?: number | undefined
}

export type Turn =
  | { readonly user: string; readonly image?: string | undefined }
  | { readonly assistant: string; readonly thinking?: string | undefined; readonly calls?: readonly Call[] | undefined }
  /** `of` is the name of the tool. */
  | { readonly result: string; readonly of: string; readonly failed?: true | undefined }

export interface Call {
  readonly name: string
  readonly arguments: unknown
}

/** An answer, read back from a wire. */
export interface Heard {
  readonly text: string
  /** In how many pieces it came. */
  readonly textPieces: number
  readonly thinking: string
  readonly calls: readonly Call[]
  readonly argumentPieces: number
  readonly stop: string | undefined
  readonly input: number | undefined
  readonly output: number | undefined
  /** What the client is told when a stream breaks off. */
  readonly error?: string | undefined
  /** Did it end as a whole answer ends? */
  readonly ended: boolean
}

/** JSON as it came over a wire; a test that looks for what is not there fails. */
// oxlint-disable-next-line no-explicit-any -- bodies of many shapes, looked at field by field
export type Loose = any

/** One wire, as a client speaks it and as an upstream reads it; written down here a second time, so that it can disagree with the gate. */
export interface Dialect {
  readonly wire: WireName
  /** Upstreams of this kind speak it. */
  readonly kind: UpstreamKind
  /** Where the wire begins at a server. */
  readonly base: string
  /** A name by which it is known of a model that it thinks, where names say that. */
  readonly model?: string
  write(ask: Ask, model: string, stream: boolean): { readonly path: string; readonly body: object }
  asked(body: Loose): Ask
  whole(body: Loose): Heard
  stream(text: string): Heard
  /** The message of an error whose shape is the wire's own. */
  error(body: Loose): string
}

export interface ServerEvent {
  readonly event: string | undefined
  readonly data: string
}

/** The events of a stream; comments are none. */
export function eventsOf(text: string): ServerEvent[] {
  return text.replaceAll('\r\n', '\n').split('\n\n').flatMap((block) => {
    const lines = block.split('\n')
    const field = (name: string) => lines.find((line) => line.startsWith(`${name}:`))?.slice(name.length + 1).trim()
    const data = field('data')
    return data === undefined ? [] : [{ event: field('event'), data }]
  })
}

export const callId = (name: string) => `call_${name}`

/** The object without what is undefined. */
export function said<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as T
}
