import { matches } from '../house/index.ts'
import { Fault } from '../kernel/fault.ts'
import { describeLevel, join, PUBLIC_TRUSTED, type GateName, type Label, type Level } from '../labels/index.ts'
import type { CallLedger } from './call-ledger.ts'
import { withOwned, type DeclaredModels } from './declared-models.ts'
import { isRefusal } from './fallback.ts'
import { plan, planWithRedaction, toBeListed, type Candidate, type Plan, type PlanRequest } from './plan.ts'
import { findAnew, sessionUnknown, type Client, type Session, type Sessions } from './session.ts'
import { wishOf } from './wish.ts'

export type Planned = Extract<Plan, { outcome: 'planned' }>

/** What a plan is made of. */
export interface Wanted {
  readonly session: Session
  /** The caller knows that this call carries more than its run does so far. It can only raise. */
  readonly atLeast?: Level | undefined
  readonly task?: string | undefined
  readonly model: string
  readonly embedding?: boolean
}

/** Makes the plans of one gate's calls. */
export interface Planner {
  /**
   * Plans, and lets `go` walk; anew when the session became another one in between. `level`: what a redacted body counts as. What may not be made is
   * refused, and the refusal is in the ledger.
   */
  settle<T>(wanted: Wanted, level: Level | undefined, go: (session: Session, label: Label, planned: Planned) => Promise<T | 'moved'>): Promise<T>
  /** Where a call can go that no cloud model may have, whatever it asked for. */
  near(session: Session, label: Label): Promise<Planned | undefined>
  /** The models that this session's label may reach now. */
  list(session: Session): Promise<Candidate[]>
}

export interface PlannerDeps {
  readonly gate: GateName
  readonly sessions: Pick<Sessions, 'find'>
  readonly ledger: Pick<CallLedger, 'refuse'>
  readonly models: () => DeclaredModels
  /** Of gate local, where a gate cloud can be asked. */
  readonly handsOn: boolean
}

const looks = 3
/** Milliseconds that a list may be old before it is believed that something is not there. */
const secondLookMs = 1_000

export function createPlanner({ gate, sessions, ledger, models, handsOn }: PlannerDeps): Planner {
  // no text is handed on redacted to be made a vector: it would be the vector of another text
  const planAll = (request: PlanRequest) => (handsOn && !request.embedding ? planWithRedaction(request) : plan(request))

  function planRequest(session: Session, label: Label, request: Asked): PlanRequest {
    const { declared, routes } = models()
    if (request.embedding) return { ...planRequest(session, label, { model: request.model, task: request.task ?? 'embed' }), handsOn: false, embedding: true, routes: routesOfEmbeddings(routes) }
    return {
      gate, model: request.model, task: request.task, label, worker: session.worker, lanes: session.lanes, upstreams: withOwned(declared, session.owned), routes,
      handsOn: handsOn && !session.client,
    }
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
  async function decide(session: Session, label: Label, request: Asked): Promise<Planned | 'stale'> {
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
  async function refuseAboveKey(session: Session, { name, maxLevel }: Client, label: Label, wanted: Asked): Promise<Fault> {
    const reason = `key ${name} is good up to ${describeLevel(maxLevel)}; make one with a higher --max-label for what carries more`
    const { task } = wishOf(planRequest(session, label, wanted))
    const id = await ledger.refuse({ session, label, task, model: wanted.model, reason, set: [] })
    return new Fault('refused', 'label_refused', reason, { call: id, level: describeLevel(label.level), lanes: label.lanes, set: [] })
  }

  /** A call that was not made for want of money or room is in the ledger as well. */
  async function refused(error: unknown, session: Session, label: Label, { task, set }: Planned, model: string): Promise<never> {
    if (error instanceof Fault && isRefusal(error)) await ledger.refuse({ session, label, task, model, reason: error.code, set })
    throw error
  }

  async function settle<T>(request: Wanted, level: Level | undefined, go: (session: Session, label: Label, planned: Planned) => Promise<T | 'moved'>): Promise<T> {
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
    settle,

    async near(session, label) {
      const byDefault = { ...planRequest(session, label, { model: 'auto' }), handsOn: false }
      for (const request of [byDefault, { ...byDefault, routes: {} }]) {
        const near = plan(await withListings(request))
        const candidates = near.outcome === 'planned' ? near.candidates.filter(({ upstream, model }) => isAllowed(session, upstream, model)) : []
        if (near.outcome === 'planned' && candidates.length > 0) return { ...near, candidates }
      }
      return undefined
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

type Asked = Pick<Wanted, 'model' | 'task' | 'embedding'>

/** A key may name the models that it is for. */
function allowedTo(session: Session, planned: Planned, asked: string): Planned {
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
