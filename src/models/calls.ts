import type { Database } from '../kernel/database/connect.ts'
import { Fault } from '../kernel/fault.ts'
import type { Logger } from '../kernel/log.ts'
import type { GateName, Label, Level } from '../labels/index.ts'
import { createAttempt, isMoved } from './attempt.ts'
import type { Money } from './budget/money.ts'
import { answerFromCache } from './cached-attempt.ts'
import type { CallLedger } from './call-ledger.ts'
import type { ChatChunk, Conversation, NativeRequest } from './chat.ts'
import { countTokens, uncounted, type CountAnswer } from './count-tokens.ts'
import type { DeclaredModels } from './declared-models.ts'
import { useDeclassification, type Declassification } from './declassification.ts'
import { conversationOf, embedAttempt, type EmbedAnswer } from './embed-attempt.ts'
import { promptBytes, tokensOf } from './estimate.ts'
import type { Failure } from './fallback.ts'
import type { HandOn } from './hand-on.ts'
import type { CallObserver } from './observe.ts'
import type { Candidate } from './plan.ts'
import { createPlanner, type Planned } from './planner.ts'
import { textsIn } from './redact-conversation.ts'
import type { Routing } from './route/open-routing.ts'
import type { Passage } from './route/walk.ts'
import type { Session, Sessions } from './session.ts'
import type { Upstream } from './upstream.ts'

export interface CallRequest {
  readonly session: Session
  /** The caller knows that this call carries more than its run does so far. It can only raise. */
  readonly atLeast?: Level | undefined
  readonly task?: string | undefined
  readonly model: string
  readonly conversation: Conversation
  readonly native?: NativeRequest | undefined
  /** `no-cache`: no answer that was given before; `no-store`: and this one is not kept either. */
  readonly cacheControl?: 'no-cache' | 'no-store' | undefined
  /** Of gate cloud: this body was redacted by gate local, and counts as one level lower. */
  readonly declassification?: Declassification | undefined
  /** The caller's own key, by which gate local may ask gate cloud for him. */
  readonly key: string
  readonly signal: AbortSignal
}

export interface EmbedCall extends Omit<CallRequest, 'conversation' | 'native' | 'cacheControl' | 'declassification' | 'key'> {
  readonly input: readonly string[]
  readonly dimensions?: number | undefined
}

export interface Answer {
  readonly upstream: string
  readonly model: string
  /** Told by `native` chunks, on the wire that the request came on. */
  readonly native: boolean
  /** It was given before, and costs nothing. */
  readonly isCached?: boolean
  /** Who was asked before, and did not answer. */
  readonly tried: readonly Failure[]
  /** Must be read to its end or returned; the ledger row is closed soon after. */
  readonly chunks: AsyncIterableIterator<ChatChunk, void>
}

export interface Calls {
  /**
   * Makes a model call: plan, ledger row, upstream, and the next candidate as long as nothing was answered.
   * Faults: `label_refused`, `budget_exceeded`, `price_unknown`, `session_unknown`, `model_not_found`, and those of the upstreams.
   */
  call(request: CallRequest): Promise<Answer>
  /** Makes vectors of texts, all by one model; planned, written down and refused as `call` is. */
  embed(request: EmbedCall): Promise<EmbedAnswer>
  /** Lets the model that would be asked first count what it would read; planned, written down and refused as `call` is. Faults: `tokens.uncounted` where it cannot. */
  count(request: Omit<CallRequest, 'key'>): Promise<CountAnswer>
  /** The models that this session's label may reach now. */
  list(session: Session): Promise<Candidate[]>
}

export interface CallsDeps {
  readonly gate: GateName
  readonly database: Pick<Database, 'pool'>
  readonly sessions: Pick<Sessions, 'find'>
  readonly ledger: CallLedger
  readonly money: Money
  readonly log: Logger
  readonly models: () => DeclaredModels
  readonly routing: Pick<Routing, 'walk' | 'cache'>
  readonly observer?: CallObserver | undefined
  /** Of gate local, where a gate cloud can be asked. */
  readonly handOn?: HandOn | undefined
  /** Of gate cloud: the kinds of what a redactor left in, by the policy of these lanes. */
  readonly leftIn: (conversation: Conversation, lanes: readonly string[]) => readonly string[]
  /** @throws Fault `text_blocked` or `text_local` for texts that a cloud model may have by this label, and by the policy of its lanes may not */
  readonly checkAsIs: (texts: () => readonly string[], label: Label) => void
}

/** Tokens of an answer, for the limits, where a call names no most. */
const usualAnswer = 1_024

export function createCalls(deps: CallsDeps): Calls {
  const { gate, database, models, handOn, leftIn, checkAsIs, routing: { walk, cache } } = deps
  const planner = createPlanner({ ...deps, handsOn: handOn !== undefined })

  /** What gate local redacted counts as what its record says, whoever's run it is of; but only if nothing is found in it again. */
  async function lowered(request: CallRequest): Promise<Level | undefined> {
    if (!request.declassification) return undefined
    if (gate !== 'cloud') throw new Fault('invalid', 'request.invalid', 'only gate cloud takes redacted bodies; send the original one here')
    const level = await useDeclassification(database, request.session, request.declassification)
    const kinds = leftIn(request.conversation, request.session.label.lanes)
    if (kinds.length > 0) throw new Fault('refused', 'redaction_incomplete', `this body still holds ${kinds.join(', ')}; gate cloud lets nothing through that its own scan finds`, { kinds })
    return level
  }

  function upstreamOf({ upstream }: Candidate, passage: Passage): Upstream {
    const found = models().catalog.get(upstream)
    if (found) return found
    passage.left(undefined)
    throw new Fault('unavailable', 'upstream.gone', `upstream ${upstream} was just taken out of castellan.yaml; try again`, { upstream })
  }

  /** What was redacted was judged as such. */
  function checkFor({ zone, handedOn }: Candidate, passage: Passage, label: Label, texts: () => readonly string[]): void {
    if (zone !== 'cloud' || handedOn === 'redacted') return
    try {
      checkAsIs(texts, label)
    } catch (error) {
      passage.left(undefined)
      throw error
    }
  }

  async function chat(session: Session, label: Label, planned: Planned, request: CallRequest): Promise<Answer | 'moved'> {
    const { task, candidates } = planned
    const { conversation, native, cacheControl } = request
    const key = cacheControl === 'no-store' ? undefined : cache.keyOf({ label, lane: session.lane, task, candidates, conversation, native })
    const kept = key === undefined || cacheControl ? undefined : cache.get(key)
    if (kept) return answerFromCache(deps, { session, label, task, conversation, ...kept })
    const answer = await ask(session, label, planned, request).catch((error: unknown) => nearInstead(error, session, label, planned, request))
    if (answer === 'moved' || key === undefined || answer.tried.length > 0) return answer
    return { ...answer, chunks: cache.keeping(key, candidates[0]!, answer.chunks) }
  }

  /** What its lane gives to local models alone goes to one of them, whatever was asked for; who answers is told to the caller. */
  async function nearInstead(error: unknown, session: Session, label: Label, { task, set, candidates: asked }: Planned, request: CallRequest): Promise<Answer | 'moved'> {
    if (!(error instanceof Fault) || (error.code !== 'redaction_local' && error.code !== 'text_local') || asked.some(({ zone }) => zone !== 'cloud')) throw error
    const near = await planner.near(session, label)
    if (!near) throw error
    // of what was not redacted there is no attempt that would tell it
    if (error.code === 'text_local') await deps.ledger.refuse({ session, label, task, model: request.model, reason: error.code, set })
    const answer = await ask(session, label, { ...near, task }, request)
    return answer === 'moved' ? answer : { ...answer, tried: [...asked.map((candidate) => ({ candidate, fault: error })), ...answer.tried] }
  }

  function ask(session: Session, label: Label, { task, candidates }: Planned, { key, conversation, native, cacheControl, declassification, signal }: CallRequest): Promise<Answer | 'moved'> {
    const tokens = tokensOf(promptBytes(conversation)) + (conversation.maxTokens ?? usualAnswer)
    return walk({ candidates, endpoint: 'chat', tokens, yields: session.batch !== undefined, signal }, async (candidate, passage, failures) => {
      if (!declassification) checkFor(candidate, passage, label, () => textsIn(native?.body ?? conversation))
      const upstream = candidate.handedOn && handOn ? handOn.upstream({ candidate, session, key, level: label.level, task, cacheControl }) : upstreamOf(candidate, passage)
      const attempt = createAttempt(deps, { session, label, task, candidate, upstream, conversation, native, signal, passage, failures })
      try {
        const first = await attempt.next()
        return { upstream: candidate.upstream, model: candidate.model, native: first.value?.kind === 'native', tried: [...failures], chunks: withFirst(first, attempt) }
      } catch (error) {
        if (isMoved(error)) return 'moved'
        throw error
      }
    })
  }

  function embed(session: Session, label: Label, { task, candidates }: Planned, { input, dimensions, signal }: Pick<EmbedCall, 'input' | 'dimensions' | 'signal'>): Promise<EmbedAnswer | 'moved'> {
    const tokens = tokensOf(promptBytes(conversationOf(input)))
    return walk({ candidates, endpoint: 'embeddings', tokens, yields: session.batch !== undefined, signal }, (candidate, passage, failures) => {
      checkFor(candidate, passage, label, () => input)
      return embedAttempt(deps, { session, label, task, candidate, upstream: upstreamOf(candidate, passage), input, dimensions, signal, passage, failures: [...failures] })
    })
  }

  /** No other model takes over: its number would be of another model; and nothing is counted that would be handed on redacted. */
  async function countFirst(session: Session, label: Label, { candidates: [first] }: Planned, { conversation, native, signal }: Pick<CallRequest, 'conversation' | 'native' | 'signal'>): Promise<CountAnswer | 'moved'> {
    if (!first || first.handedOn) throw uncounted()
    return walk({ candidates: [first], endpoint: 'count', tokens: 0, yields: false, signal }, (candidate, passage) => {
      checkFor(candidate, passage, label, () => textsIn(native?.body ?? conversation))
      return countTokens(deps, { session, label, candidate, upstream: upstreamOf(candidate, passage), conversation, native, signal, passage })
    })
  }

  return {
    call: async (request) => {
      const level = await lowered(request)
      // what was scanned is the conversation; in the body itself more may stand
      const scanned = level === undefined ? request : { ...request, native: undefined }
      return planner.settle(request, level, (session, label, planned) => chat(session, label, planned, scanned))
    },

    embed: ({ input, dimensions, signal, ...request }) =>
      planner.settle({ ...request, embedding: true }, undefined, (session, label, planned) => embed(session, label, planned, { input, dimensions, signal })),

    count: async ({ conversation, native, signal, ...request }) => {
      // what was redacted is not what the caller would count
      if (request.declassification) throw uncounted()
      return planner.settle(request, undefined, (session, label, planned) => countFirst(session, label, planned, { conversation, native, signal }))
    },

    list: (remembered) => planner.list(remembered),
  }
}

/** The iterator with the element that was already taken from it. */
function withFirst<T>(first: IteratorResult<T, void>, rest: AsyncGenerator<T, void, void>): AsyncIterableIterator<T, void> {
  let pending: IteratorResult<T, void> | undefined = first
  return {
    next: async () => {
      const result = pending ?? (await rest.next())
      pending = undefined
      return result
    },
    return: () => rest.return(),
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
