import type { RoutingSettings } from '../../house/index.ts'
import { Fault } from '../../kernel/fault.ts'

/** What is asked of an upstream: each model, and each way of asking it, may be ill by itself. */
export interface Circuit {
  readonly upstream: string
  readonly model: string
  readonly endpoint: 'chat' | 'embeddings' | 'count'
}

/** Upstreams that have failed again and again, each rest twice as long as the last, or have said when they may be asked again, are not asked before. In memory: a new start tries anew. */
export interface Breakers {
  /** A fault: not now. Nothing: ask, and say how it went. */
  refuse(circuit: Circuit): Fault | undefined
  /** The first piece of an answer has come. */
  begun(circuit: Circuit): void
  answered(circuit: Circuit): void
  failed(circuit: Circuit, fault: Fault): void
  /** It was neither: the client left, or the call was not made. */
  left(circuit: Circuit): void
  /** Who rests now, and for how many milliseconds. */
  resting(): (Circuit & { readonly forMs: number })[]
  /** The house has changed: what was learned may be of another server. */
  forget(): void
}

type State = { readonly circuit: Circuit; failures: number; rests: number; until: number } & (
  | { why: 'limited' }
  /** `isTried`: one call is finding out whether it is well again. */
  | { why: 'failing'; isTried: boolean }
)

const longestRestMs = 120_000
/** Who asks for more is asked again even so. */
const longestLimitMs = 3_600_000
/** A client may call models as it likes. */
const mostKnown = 1_000
/** What says that the upstream is at fault, not the request. A refused key is told each time, since only the operator can mend it. */
const illnesses = new Set(['upstream.unreachable', 'upstream.failed', 'upstream.redirected', 'upstream.died', 'upstream.malformed', 'upstream.first_byte', 'upstream.idle'])

export function createBreakers(settings: () => RoutingSettings['breaker'], now: () => number = () => performance.now()): Breakers {
  const states = new Map<string, State>()
  const nameOf = ({ upstream, model, endpoint }: Circuit) => JSON.stringify([upstream, model, endpoint])
  const find = (circuit: Circuit) => states.get(nameOf(circuit))

  function keep(state: State): void {
    const name = nameOf(state.circuit)
    states.delete(name)
    if (states.size >= mostKnown) states.delete(states.keys().next().value!)
    states.set(name, state)
  }

  function left(circuit: Circuit): void {
    const state = find(circuit)
    if (state?.why === 'failing') state.isTried = false
  }

  return {
    refuse(circuit) {
      const state = find(circuit)
      if (!state || state.until === 0) return undefined
      const forMs = state.until - now()
      if (forMs > 0 || (state.why === 'failing' && state.isTried)) return refusal(state, Math.max(forMs, 1_000))
      // who was only told to wait is well; who failed shows it with one call
      if (state.why === 'failing') state.isTried = true
      else state.until = 0
      return undefined
    },

    begun(circuit) {
      const state = find(circuit)
      // others may ask again; should this answer break off, the next rest begins
      if (state?.why === 'failing' && state.isTried) keep({ ...state, isTried: false, until: 0, failures: settings().failures - 1 })
    },

    answered: (circuit) => void states.delete(nameOf(circuit)),

    failed(circuit, fault) {
      const { failures, rests } = find(circuit) ?? { failures: 0, rests: 0 }
      const { retryAfter } = fault.details
      if (fault.code === 'upstream.limited' && typeof retryAfter === 'number') {
        return keep({ circuit, why: 'limited', failures, rests, until: now() + Math.min(retryAfter * 1_000, longestLimitMs) })
      }
      if (!illnesses.has(fault.code)) return left(circuit)
      const isEnough = failures + 1 >= settings().failures
      keep({
        circuit, why: 'failing', isTried: false, failures: failures + 1, rests: isEnough ? rests + 1 : rests,
        until: isEnough ? now() + Math.min(settings().restMs * 2 ** rests, longestRestMs) : 0,
      })
    },

    left,
    resting: () => [...states.values()].filter(({ until }) => until > now()).map(({ circuit, until }) => ({ ...circuit, forMs: Math.ceil(until - now()) })),
    forget: () => states.clear(),
  }
}

function refusal({ circuit: { upstream, model }, failures, why }: State, forMs: number): Fault {
  const retryAfter = Math.ceil(forMs / 100) / 10
  return why === 'limited'
    ? new Fault('unavailable', 'upstream.limited', `upstream ${upstream} takes no calls of ${model} for another ${retryAfter} s, as it said itself`, { upstream, retryAfter })
    : new Fault('unavailable', 'upstream.resting', `upstream ${upstream} has failed ${failures} times in a row with ${model} and is left alone for ${retryAfter} s`, { upstream, retryAfter })
}
