import { setTimeout as delay } from 'node:timers/promises'
import type { RoutingSettings } from '../../house/index.ts'
import type { Fault } from '../../kernel/fault.ts'
import { combineFaults, mayFallBack, type Failure } from '../fallback.ts'
import type { Candidate } from '../plan.ts'
import type { Breakers, Circuit } from './breaker.ts'
import type { Limits, Slot } from './limits.ts'
import { pauseBefore } from './retry.ts'

/** A call on its way: where it may go, in order, computed before. A walk can only leave some of it out. */
export interface Journey {
  readonly candidates: readonly Candidate[]
  readonly endpoint: Circuit['endpoint']
  /** As many as the call may take, for the limits. */
  readonly tokens: number
  /** Waits for nobody's room, and takes none for which others wait. */
  readonly yields: boolean
  readonly signal: AbortSignal
}

/** The leave to ask one model once. Every attempt ends it, once, with one of `answered`, `failed` and `left`. */
export interface Passage {
  begun(): void
  answered(tokens: number): void
  failed(fault: Fault, tokens: number): void
  /** `undefined` tokens: the call was not made. */
  left(tokens: number | undefined): void
}

export interface WalkDeps {
  readonly retry: () => RoutingSettings['retry']
  readonly breakers: Breakers
  readonly limits: Limits
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>
  readonly random?: () => number
}

export type Attempt<T> = (candidate: Candidate, passage: Passage, failures: readonly Failure[]) => Promise<T | 'moved'>

/** Asks one model after the other, and each again where that may help, until one answers. */
export interface Walk {
  <T>(journey: Journey, attempt: Attempt<T>): Promise<T | 'moved'>
}

export function createWalk({ retry, breakers, limits, pause = sleep, random }: WalkDeps): Walk {
  async function enter({ endpoint, tokens, yields, signal }: Journey, candidate: Candidate, hasNext: boolean): Promise<Passage> {
    // gate cloud sees to what it is handed
    if (candidate.handedOn) return unwatched
    const circuit: Circuit = { upstream: candidate.upstream, model: candidate.model, endpoint }
    const refusal = breakers.refuse(circuit)
    if (refusal) throw refusal
    const slot = await limits.enter({ upstream: candidate.upstream, tokens, hasNext, yields, signal }).catch((error: unknown) => {
      breakers.left(circuit)
      throw error
    })
    return passageOf(breakers, circuit, slot)
  }

  return async (journey, attempt) => {
    const { candidates, signal } = journey
    const failures: Failure[] = []
    for (const [place, candidate] of candidates.entries()) {
      for (let tries = 1; ; tries += 1) {
        signal.throwIfAborted()
        try {
          const passage = await enter(journey, candidate, place < candidates.length - 1)
          return await attempt(candidate, passage, failures)
        } catch (error) {
          if (signal.aborted || !mayFallBack(error)) throw error
          failures.push({ candidate, fault: error })
          const wait = candidate.handedOn ? undefined : pauseBefore(tries, error, retry(), random)
          if (wait === undefined) break
          await pause(wait, signal)
        }
      }
    }
    throw combineFaults(failures)
  }
}

const unwatched: Passage = { begun: () => {}, answered: () => {}, failed: () => {}, left: () => {} }

function passageOf(breakers: Breakers, circuit: Circuit, slot: Slot): Passage {
  return {
    begun: () => breakers.begun(circuit),
    answered(tokens) {
      breakers.answered(circuit)
      slot.leave(tokens)
    },
    failed(fault, tokens) {
      breakers.failed(circuit, fault)
      slot.leave(tokens)
    },
    left(tokens) {
      breakers.left(circuit)
      slot.leave(tokens)
    },
  }
}

async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => signal.throwIfAborted())
}
