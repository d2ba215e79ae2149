import { Fault } from '../kernel/fault.ts'
import type { Database } from '../kernel/database/connect.ts'
import type { Logger } from '../kernel/log.ts'
import { describeLevel, join, PUBLIC_TRUSTED, type GateName, type Label, type Level } from '../labels/index.ts'
import { createAttempt, isMoved } from './attempt.ts'
import { isAboutMoney } from './budget/budget-faults.ts'
import type { Money } from './budget/money.ts'
import type { CallLedger } from './call-ledger.ts'
import type { ChatChunk, Conversation } from './chat.ts'
import type { DeclaredModels } from './declared-models.ts'
import { combineFaults, mayFallBack } from './fallback.ts'
import { plan, toBeListed, type Candidate, type Plan, type PlanRequest } from './plan.ts'
import { findSession, type Session } from './session.ts'

export interface CallRequest {
  readonly session: Session
  /** The caller knows that this call carries more than its run does so far. It can only raise. */
  readonly atLeast?: Level | undefined
  readonly task?: string | undefined
  readonly model: string
  readonly conversation: Conversation
  readonly signal: AbortSignal
}

export interface Answer {
  readonly upstream: string
  readonly model: string
  /** Must be read to its end or returned; the ledger row is closed before it ends. */
  readonly chunks: AsyncIterableIterator<ChatChunk, void>
}

export interface Calls {
  /**
   * Makes a model call: plan, ledger row, upstream, and the next candidate as long as nothing was answered.
   * Faults: `label_refused`, `budget_exceeded`, `price_unknown`, `session_unknown`, `model_not_found`, and those of the upstreams.
   */
  call(request: CallRequest): Promise<Answer>
  /** The models that this session's label may reach now. */
  list(session: Session): Promise<Candidate[]>
}

export interface CallsDeps {
  readonly gate: GateName
  readonly database: Pick<Database, 'pool'>
  readonly ledger: CallLedger
  readonly money: Money
  readonly log: Logger
  readonly models: () => DeclaredModels
}

const looks = 3
/** Milliseconds that a list may be old before it is believed that something is not there. */
const secondLookMs = 1_000

export function createCalls(deps: CallsDeps): Calls {
  const { gate, database, ledger, models } = deps

  function planRequest(session: Session, label: Label, request: Pick<CallRequest, 'model' | 'task'>): PlanRequest {
    const { declared, routes } = models()
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

  async function decide(session: Session, label: Label, request: CallRequest): Promise<Extract<Plan, { outcome: 'planned' }>> {
    const asked = planRequest(session, label, request)
    let planned = plan(await withListings(asked))
    // a model may have been installed, or an upstream have come back, since it was last asked
    if (planned.outcome === 'unknown' || planned.outcome === 'silent') planned = plan(await withListings(asked, secondLookMs))
    if (planned.outcome === 'planned') return planned
    const { task, set, reason } = planned
    if (planned.outcome === 'unknown') throw new Fault('missing', 'model_not_found', reason, { model: request.model })
    if (planned.outcome === 'silent') throw new Fault('unavailable', 'upstream.unreachable', reason, { model: request.model })
    const id = await ledger.refuse({ session, label, task, model: request.model, reason, set })
    throw new Fault('refused', 'label_refused', reason, { call: id, level: describeLevel(label.level), lanes: label.lanes, set })
  }

  async function walk(session: Session, label: Label, planned: Extract<Plan, { outcome: 'planned' }>, request: CallRequest): Promise<Answer | 'moved'> {
    const failures: { candidate: Candidate; fault: Fault }[] = []
    for (const candidate of planned.candidates) {
      const upstream = models().catalog.get(candidate.upstream)
      if (!upstream) continue
      request.signal.throwIfAborted()
      const attempt = createAttempt(deps, { session, label, task: planned.task, candidate, upstream, conversation: request.conversation, signal: request.signal, failures })
      try {
        const first = await attempt.next()
        return { upstream: candidate.upstream, model: candidate.model, chunks: withFirst(first, attempt) }
      } catch (error) {
        if (isMoved(error)) return 'moved'
        if (request.signal.aborted || !mayFallBack(error)) throw error
        failures.push({ candidate, fault: error })
      }
    }
    const fault = combineFaults(failures)
    if (isAboutMoney(fault)) await ledger.refuse({ session, label, task: planned.task, model: request.model, reason: fault.code, set: planned.set })
    throw fault
  }

  return {
    async call(request) {
      let session: Session | undefined = request.session
      for (let look = 0; look < looks; look += 1) {
        const label = join(session.label, { ...PUBLIC_TRUSTED, level: request.atLeast ?? 0 })
        const planned = await decide(session, label, request)
        const answer = await walk(session, label, planned, request)
        if (answer !== 'moved') return answer
        session = await findSession(database, session.keyHash)
        if (!session) throw sessionUnknown()
      }
      throw new Fault('conflict', 'label_moving', 'the label of this run changed again and again while the call was planned; try again')
    },

    async list(session) {
      const anything = { ...planRequest(session, session.label, { model: 'auto' }), routes: {} }
      const { upstreams } = await withListings(anything)
      return upstreams.flatMap(({ name, zone, models: listed }) =>
        (listed ?? []).filter((model) => !model.embedding && model.zone === zone).map((model) => ({ upstream: name, model: model.name, zone })),
      )
    },
  }
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
