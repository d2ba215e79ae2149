import { matches } from '../house/index.ts'
import { Fault } from '../kernel/fault.ts'
import type { Database } from '../kernel/database/connect.ts'
import type { Logger } from '../kernel/log.ts'
import { describeLevel, join, PUBLIC_TRUSTED, type GateName, type Label, type Level } from '../labels/index.ts'
import { createAttempt, isMoved } from './attempt.ts'
import type { Money } from './budget/money.ts'
import type { CallLedger } from './call-ledger.ts'
import type { ChatChunk, Conversation, NativeRequest } from './chat.ts'
import { countTokens, uncounted, type CountAnswer } from './count-tokens.ts'
import { conversationOf, embedAttempt, type EmbedAnswer } from './embed-attempt.ts'
import { promptBytes, tokensOf } from './estimate.ts'
import type { DeclaredModels } from './declared-models.ts'
import { useDeclassification, type Declassification } from './declassification.ts'
import { isRefusal, type Failure } from './fallback.ts'
import type { HandOn } from './hand-on.ts'
import type { CallObserver } from './observe.ts'
import { plan, planWithRedaction, toBeListed, type Candidate, type Plan, type PlanRequest } from './plan.ts'
import { answerFromCache } from './cached-attempt.ts'
import type { Routing } from './route/open-routing.ts'
import type { Passage } from './route/walk.ts'
import { findAnew, type Client, type Session, type Sessions } from './session.ts'
import type { Upstream } from './upstream.ts'
import { wishOf } from './wish.ts'

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
  /** Of gate cloud: the kinds of what a redactor left in. */
  readonly leftIn: (conversation: Conversation) => readonly string[]
}

type Planned = Extract<Plan, { outcome: 'planned' }>

/** What a plan is made of. */
type Wanted = Pick<CallRequest, 'model' | 'task'> & { readonly embedding?: boolean }

const looks = 3
/** Tokens of an answer, for the limits, where a call names no most. */
const usualAnswer = 1_024
/** Milliseconds that a list may be old before it is believed that something is not there. */
const secondLookMs = 1_000

export function createCalls(deps: CallsDeps): Calls {
  const { gate, database, sessions, ledger, models, handOn, leftIn, routing: { walk, cache } } = deps
  // no text is handed on redacted to be made a vector: it would be the vector of another text
  const planAll = (request: PlanRequest) => (handOn && !request.embedding ? planWithRedaction(request) : plan(request))

  function planRequest(session: Session, label: Label, request: Wanted): PlanRequest {
    const { declared, routes } = models()
    if (request.embedding) return { ...planRequest(session, label, { model: request.model, task: request.task ?? 'embed' }), embedding: true, routes: routesOfEmbeddings(routes) }
    return { gate, model: request.model, task: request.task, label, worker: session.worker, lanes: session.lanes, upstreams: declared, routes }
  }

  /** No upstream outside the set is asked anything, not even what it has. */
  async function withListings(request: PlanRequest, maxAgeMs?: number): Promise<PlanRequest> {
    const listings = await models().catalog.list(toBeListed(request), maxAgeMs)
    const found = new Map(listings.map((listing) => [listing.upstream, listing.models]))
    return {
      ...request,
      upstreams: request.upstreams.map((upstream) => {
        const known = found.get(upstream.name)
        return known ? { ...upstream, models: known } : upstream
      }),
    }
  }

  /** `stale`: the session was remembered, and is another one now. */
  async function decide(session: Session, label: Label, request: Wanted): Promise<Planned | 'stale'> {
    const asked = planRequest(session, label, request)
    let planned = planAll(await withListings(asked))
    // a model may have been installed, or an upstream have come back, since it was last asked
    if (planned.outcome === 'unknown' || planned.outcome === 'silent') planned = planAll(await withListings(asked, secondLookMs))
    if (planned.outcome === 'planned') return allowedTo(session, planned, request.model)
    // nobody is refused by what was remembered
    const fresh = await sessions.find(session.keyHash, { freshly: true })
    if (fresh?.said !== session.said) return 'stale'
    const { task, set, reason } = planned
    if (planned.outcome === 'unknown') throw new Fault('missing', 'model_not_found', reason, { model: request.model })
    if (planned.outcome === 'silent') throw new Fault('unavailable', 'upstream.unreachable', reason, { model: request.model })
    const id = await ledger.refuse({ session, label, task, model: request.model, reason, set })
    throw new Fault('refused', 'label_refused', reason, { call: id, level: describeLevel(label.level), lanes: label.lanes, set })
  }

  /** A refusal of the label, in the ledger like any other. */
  async function refuseAboveKey(session: Session, { name, maxLevel }: Client, label: Label, wanted: Wanted): Promise<Fault> {
    const reason = `key ${name} is good up to ${describeLevel(maxLevel)}; make one with a higher --max-label for what carries more`
    const { task } = wishOf(planRequest(session, label, wanted))
    const id = await ledger.refuse({ session, label, task, model: wanted.model, reason, set: [] })
    return new Fault('refused', 'label_refused', reason, { call: id, level: describeLevel(label.level), lanes: label.lanes, set: [] })
  }

  /** What gate local redacted counts as what its record says, whoever's run it is of; but only if nothing is found in it again. */
  async function lowered(request: CallRequest): Promise<Level | undefined> {
    if (!request.declassification) return undefined
    if (gate !== 'cloud') throw new Fault('invalid', 'request.invalid', 'only gate cloud takes redacted bodies; send the original one here')
    const level = await useDeclassification(database, request.session, request.declassification)
    const kinds = leftIn(request.conversation)
    if (kinds.length > 0) throw new Fault('refused', 'redaction_incomplete', `this body still holds ${kinds.join(', ')}; gate cloud lets nothing through that its own scan finds`, { kinds })
    return level
  }

  function upstreamOf({ upstream }: Candidate, passage: Passage): Upstream {
    const found = models().catalog.get(upstream)
    if (found) return found
    passage.left(undefined)
    throw new Fault('unavailable', 'upstream.gone', `upstream ${upstream} was just taken out of castellan.yaml; try again`, { upstream })
  }

  async function chat(session: Session, label: Label, planned: Planned, request: CallRequest): Promise<Answer | 'moved'> {
    const { task, candidates } = planned
    const { conversation, native, cacheControl } = request
    const key = cacheControl === 'no-store' ? undefined : cache.keyOf({ label, lane: session.lane, task, candidates, conversation, native })
    const kept = key === undefined || cacheControl ? undefined : cache.get(key)
    if (kept) return answerFromCache(deps, { session, label, task, conversation, ...kept })
    const answer = await ask(session, label, planned, request)
    if (answer === 'moved' || key === undefined || answer.tried.length > 0) return answer
    return { ...answer, chunks: cache.keeping(key, candidates[0]!, answer.chunks) }
  }

  function ask(session: Session, label: Label, { task, candidates }: Planned, { key, conversation, native, cacheControl, signal }: CallRequest): Promise<Answer | 'moved'> {
    const tokens = tokensOf(promptBytes(conversation)) + (conversation.maxTokens ?? usualAnswer)
    return walk({ candidates, endpoint: 'chat', tokens, yields: session.batch !== undefined, signal }, async (candidate, passage, failures) => {
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
    return walk({ candidates, endpoint: 'embeddings', tokens, yields: session.batch !== undefined, signal }, (candidate, passage, failures) =>
      embedAttempt(deps, { session, label, task, candidate, upstream: upstreamOf(candidate, passage), input, dimensions, signal, passage, failures: [...failures] }))
  }

  /** No other model takes over: its number would be of another model; and nothing is counted that would be handed on redacted. */
  async function countFirst(session: Session, label: Label, { candidates: [first] }: Planned, { conversation, native, signal }: Pick<CallRequest, 'conversation' | 'native' | 'signal'>): Promise<CountAnswer | 'moved'> {
    if (!first || first.handedOn) throw uncounted()
    return walk({ candidates: [first], endpoint: 'count', tokens: 0, yields: false, signal }, (candidate, passage) =>
      countTokens(deps, { session, label, candidate, upstream: upstreamOf(candidate, passage), conversation, native, signal, passage }))
  }

  /** A call that was not made for want of money or room is in the ledger as well. */
  async function refused(error: unknown, session: Session, label: Label, { task, set }: Planned, model: string): Promise<never> {
    if (error instanceof Fault && isRefusal(error)) await ledger.refuse({ session, label, task, model, reason: error.code, set })
    throw error
  }

  /** Plans and walks; anew when the session became another one in between. `level`: what a redacted body counts as. */
  async function settle<T>(request: Wanted & Pick<CallRequest, 'session' | 'atLeast'>, level: Level | undefined, go: (session: Session, label: Label, planned: Planned) => Promise<T | 'moved'>): Promise<T> {
    let session: Session | undefined = request.session
    for (let look = 0; look < looks; look += 1) {
      if (level !== undefined && session.label.level > level + 1) throw labelRose()
      const seen: Session = level === undefined ? session : { ...session, worker: 'open' }
      const label = join(level === undefined ? session.label : { ...session.label, level }, { ...PUBLIC_TRUSTED, level: request.atLeast ?? 0 })
      if (session.client && label.level > session.client.maxLevel) throw await refuseAboveKey(session, session.client, label, request)
      const planned = await decide(seen, label, request)
      const answer = planned === 'stale' ? 'moved' : await go(session, label, planned).catch((error: unknown) => refused(error, session!, label, planned, request.model))
      if (answer !== 'moved') return answer
      session = await findAnew(sessions, session)
      if (!session) throw sessionUnknown()
    }
    throw new Fault('conflict', 'label_moving', 'the label of this run changed again and again while the call was planned; try again')
  }

  return {
    call: async (request) => {
      const level = await lowered(request)
      // what was scanned is the conversation; in the body itself more may stand
      const scanned = level === undefined ? request : { ...request, native: undefined }
      return settle(request, level, (session, label, planned) => chat(session, label, planned, scanned))
    },

    embed: ({ input, dimensions, signal, ...request }) =>
      settle({ ...request, embedding: true }, undefined, (session, label, planned) => embed(session, label, planned, { input, dimensions, signal })),

    count: async ({ conversation, native, signal, ...request }) => {
      // what was redacted is not what the caller would count
      if (request.declassification) throw uncounted()
      return settle(request, undefined, (session, label, planned) => countFirst(session, label, planned, { conversation, native, signal }))
    },

    async list(remembered) {
      const session = await sessions.find(remembered.keyHash, { freshly: true })
      if (!session) throw sessionUnknown()
      const anything = { ...planRequest(session, session.label, { model: 'auto' }), routes: {} }
      const { upstreams } = await withListings(anything)
      return upstreams.flatMap(({ name, zone, models: listed }) =>
        (listed ?? []).filter((model) => !model.embedding && model.zone === zone && isAllowed(session, name, model.name)).map((model) => ({ upstream: name, model: model.name, zone })),
      )
    },
  }
}

/** A key may name the models that it is for. */
function allowedTo(session: Session, planned: Extract<Plan, { outcome: 'planned' }>, asked: string): Extract<Plan, { outcome: 'planned' }> {
  const candidates = planned.candidates.filter(({ upstream, model }) => isAllowed(session, upstream, model))
  if (candidates.length > 0) return { ...planned, candidates }
  throw new Fault('missing', 'model_not_found', `${asked} is not among the models of key ${session.client?.name}: ${session.client?.models.join(', ')}`, { model: asked })
}

function isAllowed({ client }: Session, upstream: string, model: string): boolean {
  return client === undefined || client.models.length === 0 || client.models.some((pattern) => matches(pattern, `${upstream}/${model}`))
}

function labelRose(): Fault {
  return new Fault('conflict', 'label_moving', 'this run has read something higher since its text was redacted; ask gate local again')
}

/** The default route is one of models that answer. */
function routesOfEmbeddings({ default: _, ...routes }: PlanRequest['routes']): PlanRequest['routes'] {
  return routes
}

/** The key opens nothing, or no longer. */
export function sessionUnknown(): Fault {
  return new Fault('refused', 'session_unknown', 'this key opens nothing here: it is unknown or too old, or its run has ended or was taken over. A run gets a new key each time it is taken up')
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
