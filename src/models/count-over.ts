import { Fault } from '../kernel/fault.ts'
import type { NativeRequest, WireName } from './chat.ts'
import { parseJson, type Transport } from './transport.ts'

/** How many tokens a request holds, as an upstream says it. */
export interface CountedTokens {
  readonly tokens: number
  /** The upstream's whole answer, for a client that speaks its wire. */
  readonly body: Uint8Array
}

/** Counts what a request of this wire would make a model read. Numbers are a model's own, so requests of other wires are not translated for it. */
export interface TokenCounter {
  readonly wire: WireName
  count(native: NativeRequest, model: string, signal: AbortSignal): Promise<CountedTokens>
}

interface CountedWire {
  readonly upstream: string
  readonly wire: WireName
  readonly transport: Pick<Transport, 'postWhole'>
  path(model: string): string
  passed(native: NativeRequest, model: string): Record<string, unknown>
  /** The number in an answer. */
  read(answer: Readonly<Record<string, unknown>>): unknown
}

/** Faults as of `Upstream.chat`, and `upstream.malformed` for what is no number of tokens: no request holds none. */
export function countOver({ upstream, wire, transport, path, passed, read }: CountedWire): TokenCounter {
  return {
    wire,
    async count(native, model, signal) {
      const body = await transport.postWhole(path(model), passed(native, model), signal, { headers: native.headers })
      const tokens = read((parseJson(upstream, body.toString('utf8')) ?? {}) as Record<string, unknown>)
      if (!Number.isSafeInteger(tokens) || (tokens as number) < 1) throw new Fault('unavailable', 'upstream.malformed', `upstream ${upstream} did not say how many tokens the request has`, { upstream })
      return { tokens: tokens as number, body }
    },
  }
}
