import { cloudClearance, describeLabel, describeLevel, mayRedact, reachable, zoneClearance, zonesOf, type GateName, type Label, type Lanes, type Level, type Zone } from '../labels/index.ts'
import { wishOf, type Routes, type Wish } from './wish.ts'
import type { ModelInfo } from './upstream.ts'

/** An upstream as a plan sees it. */
export interface KnownUpstream {
  readonly name: string
  readonly zone: Zone
  readonly url?: string
  /** Declared as a machine of the operator's own: the mesh, until `owned` says that he has signed it. */
  readonly own?: true
  readonly owned?: boolean
  readonly listsAll: boolean
  /** Undefined: it was not asked, or did not answer. */
  readonly models?: readonly ModelInfo[]
}

export interface PlanRequest {
  readonly gate: GateName
  /** `auto`, `task:summarize`, `upstream/model` or `model`. */
  readonly model: string
  readonly task?: string | undefined
  /** Wanted are vectors, not an answer. */
  readonly embedding?: boolean
  readonly label: Label
  /** Who executes the run that asks. */
  readonly worker: 'open' | 'private'
  readonly lanes: Lanes
  /** Gate local can ask gate cloud for this caller. */
  readonly handsOn?: boolean
  /** Every declared upstream, those of the other gate too. */
  readonly upstreams: readonly KnownUpstream[]
  readonly routes: Routes
}

export interface Candidate {
  readonly upstream: string
  readonly model: string
  readonly zone: Zone
  /** Served by gate cloud, which gate local asks: with redacted text, or as it is, where a signed act clears the provider. */
  readonly handedOn?: 'redacted' | 'cleared'
}

/** Where a call may go, in order; or why it goes nowhere. `set` is every upstream that this call could ever have reached. */
export type Plan = { readonly task: string; readonly set: readonly string[] } & (
  | { readonly outcome: 'planned'; readonly candidates: readonly Candidate[] }
  /** A label or a lane forbids it. */
  | { readonly outcome: 'refused'; readonly reason: string }
  /** Nothing that may be reached has such a model or route. */
  | { readonly outcome: 'unknown'; readonly reason: string }
  /** What has it does not answer. */
  | { readonly outcome: 'silent'; readonly reason: string }
)

/** The upstreams that this call may reach: from gate, worker, label and lanes alone. Everything after can only take away. */
export function providerSet(request: Omit<PlanRequest, 'model' | 'task' | 'routes'>): string[] {
  if (request.gate === 'cloud' && request.worker === 'private') return []
  const served = request.upstreams.filter((upstream) => zonesOf[request.gate].includes(upstream.zone) || isHandedOn(request, upstream))
  return reachable(request.label, request.lanes, served)
}

/** Only what no cloud model may see by the lanes alone: the rest has a gate of its own, which its worker may enter. */
function isHandedOn({ gate, worker, handsOn, label, lanes }: Pick<PlanRequest, 'gate' | 'worker' | 'handsOn' | 'label' | 'lanes'>, { zone }: KnownUpstream): boolean {
  return gate === 'local' && worker === 'open' && handsOn === true && zone === 'cloud' && label.level > cloudClearance(label, lanes)
}

/** The upstreams whose models must be known before this call can be planned; never one outside the set. */
export function toBeListed(request: PlanRequest): string[] {
  const wish = wishOf(request)
  if (wish.kind === 'unknown') return []
  const named = (upstream: KnownUpstream) =>
    wish.kind === 'anywhere' ? true : wish.entries.some((entry) => entry.upstream === upstream.name && (upstream.listsAll || entry.model === 'auto'))
  const set = providerSet(request)
  return request.upstreams.filter((upstream) => set.includes(upstream.name) && named(upstream)).map((upstream) => upstream.name)
}

/**
 * Plans a call of gate local, with what redaction brings into reach behind what is near. Who asks for a cloud model by its name
 * gets that one or none, and only if a route of the house names it.
 */
export function planWithRedaction(request: PlanRequest): Plan {
  const near = plan(request)
  if (request.gate !== 'local' || !mayRedact(request.label, request.lanes)) return near
  const label = { ...request.label, level: (request.label.level - 1) as Level }
  // gate cloud knows its lists and looks them up itself
  const upstreams = request.upstreams.map(({ models: _, ...upstream }) => upstream)
  const far = plan({ ...request, gate: 'cloud', worker: 'open', label, upstreams })
  const set = [...new Set([...near.set, ...far.set])]
  if (far.outcome !== 'planned') return { ...near, set }
  // a model's name is a text too, and the caller's: only those that the operator wrote down go out
  const isRouted = ({ upstream, model }: Candidate) => Object.values(request.routes).some((targets) => targets.some((target) => target.upstream === upstream && target.model === model))
  const cleared = near.outcome === 'planned' ? near.candidates : []
  const isCleared = ({ upstream, model }: Candidate) => cleared.some((one) => one.upstream === upstream && one.model === model)
  const handedOn = far.candidates.filter((one) => isRouted(one) && !isCleared(one)).map((candidate): Candidate => ({ ...candidate, handedOn: 'redacted' }))
  if (handedOn.length === 0) return { ...near, set }
  return { task: near.task, set, outcome: 'planned', candidates: [...(near.outcome === 'planned' ? near.candidates : []), ...handedOn] }
}

/** Plans a call: the set first, then the wish inside the set. */
export function plan(request: PlanRequest): Plan {
  const set = providerSet(request)
  const wish = wishOf(request)
  const base = { task: wish.task, set }
  if (set.length === 0) {
    const nothingDeclared = !request.upstreams.some((upstream) => zonesOf[request.gate].includes(upstream.zone))
    return nothingDeclared && isCleared(request)
      ? { ...base, outcome: 'unknown', reason: `no upstream is declared that gate ${request.gate} could serve; add one under models.upstreams in castellan.yaml` }
      : { ...base, outcome: 'refused', reason: whyNothing(request) }
  }
  if (wish.kind === 'unknown') return { ...base, outcome: 'unknown', reason: wish.reason }
  const inside = entriesOf(wish, set).filter((entry) => set.includes(entry.upstream))
  if (inside.length === 0) return { ...base, ...outside(request, wish, set) }
  const found = inside.map((entry) => resolve(entry, request.upstreams, wish.kind === 'anywhere', request.embedding ?? false))
  const resolved = found.filter((result) => typeof result === 'object')
  const reached = request.embedding ? sameSpace(inside, found, resolved) : resolved
  const candidates = request.gate === 'local' ? reached.map((one): Candidate => (one.zone === 'cloud' ? { ...one, handedOn: 'cleared' } : one)) : reached
  if (candidates.length > 0) return { ...base, outcome: 'planned', candidates: unique(candidates) }
  const asked = wish.kind === 'anywhere' ? wish.model : inside.map((entry) => `${entry.upstream}/${entry.model}`).join(', ')
  if (found.includes('elsewhere')) {
    return { ...base, outcome: 'refused', reason: `${asked} runs in the cloud although its daemon is near; it can only be reached through an upstream that is declared with zone cloud` }
  }
  return found.includes('silent')
    ? { ...base, outcome: 'silent', reason: `${asked} cannot be had now: ${inside.filter((_, i) => found[i] === 'silent').map((entry) => entry.upstream).join(', ')} does not answer; is it running?` }
    : { ...base, outcome: 'unknown', reason: `${asked} is not among the ${request.embedding ? 'embedding ' : ''}models of ${set.join(', ')}; ${request.embedding ? '`castellan model list` says which models make vectors' : 'GET /v1/models lists what this run may use'}` }
}

interface Entry {
  readonly upstream: string
  readonly model: string
}

function entriesOf(wish: Exclude<Wish, { kind: 'unknown' }>, set: readonly string[]): readonly Entry[] {
  return wish.kind === 'anywhere' ? set.map((upstream) => ({ upstream, model: wish.model })) : wish.entries
}

/** `listed`: a model that was named without its upstream is only where a list says so. */
function resolve(entry: Entry, upstreams: readonly KnownUpstream[], listed: boolean, embedding: boolean): Candidate | 'missing' | 'silent' | 'elsewhere' {
  const upstream = upstreams.find((known) => known.name === entry.upstream)
  if (!upstream) return 'missing'
  const { name, zone, models } = upstream
  if (models === undefined) {
    // the list would have to say where the model really runs
    if (upstream.listsAll || listed || entry.model === 'auto') return 'silent'
    return { upstream: name, model: entry.model, zone }
  }
  if (entry.model === 'auto') {
    // a cloud's list begins with anything; its model has to be named
    const first = zone === 'cloud' && !upstream.listsAll ? undefined : models.find((model) => model.embedding === embedding && model.zone === zone)
    return first ? { upstream: name, model: first.name, zone } : 'missing'
  }
  const model = models.find(({ name: known }) => known === entry.model) ?? models.find(({ name: known }) => known === `${entry.model}:latest`)
  if (!model) return upstream.listsAll || listed ? 'missing' : { upstream: name, model: entry.model, zone }
  // a list that says everything says this too
  if (embedding && upstream.listsAll && !model.embedding) return 'missing'
  return model.zone === zone ? { upstream: name, model: model.name, zone } : 'elsewhere'
}

/**
 * Vectors of two models cannot be compared, so only the model that comes first may answer, wherever it is; and when it is silent nobody may,
 * who is not that model.
 */
function sameSpace(entries: readonly Entry[], found: readonly ReturnType<typeof resolve>[], resolved: readonly Candidate[]): Candidate[] {
  const first = found.findIndex((result) => typeof result === 'object' || result === 'silent')
  const chosen = found[first]
  if (chosen === undefined) return []
  const bare = (name: string) => name.replace(/:latest$/, '')
  const model = bare(typeof chosen === 'object' ? chosen.model : entries[first]!.model)
  return resolved.filter((candidate) => bare(candidate.model) === model)
}

function unique(candidates: readonly Candidate[]): Candidate[] {
  return candidates.filter((candidate, index) => candidates.findIndex((other) => other.upstream === candidate.upstream && other.model === candidate.model) === index)
}

function isCleared({ gate, worker, label, lanes }: PlanRequest): boolean {
  return gate === 'local' || (worker === 'open' && label.level <= zoneClearance('cloud', label, lanes))
}

function whyNothing(request: PlanRequest): string {
  const { gate, worker, label, lanes } = request
  const what = `a run that carries ${describeLabel(label)}`
  if (gate === 'cloud' && worker === 'private') return `${what} is executed by the private worker, which reaches no cloud model; use gate local`
  if (gate === 'cloud' && !isCleared(request)) {
    const clearance = zoneClearance('cloud', label, lanes)
    const lowest = label.lanes.filter((name) => (lanes.get(name)?.cloudClearance ?? -1) === clearance)
    // those for which nothing at all was signed, where there are such
    const unsigned = lowest.filter((name) => label.level !== 2 || (lanes.get(name)?.cleared ?? []).length === 0)
    const limiting = unsigned.length > 0 ? unsigned : lowest
    const who = limiting.length === 0 ? 'without a lane' : `lane ${limiting.join(' + ')}`
    const how = label.level === 2 && worker === 'open' ? ', or have one provider cleared: `castellan lane clear LANE --upstream NAME --level P2`' : ''
    return `${what} may not reach a cloud model: ${who} is cleared for ${clearance < 0 ? 'none' : `up to ${describeLevel(clearance as Level)}`}; use gate local${how}`
  }
  return `${what} reaches no upstream of gate ${gate}: ${allowances(request)}`
}

function allowances({ label, lanes }: PlanRequest): string {
  if (label.lanes.length === 0) return 'none of them is in a zone that is cleared for it'
  return label.lanes.map((name) => `lane ${name} allows ${lanes.get(name)?.providers.join(', ') || 'none'}`).join('; ')
}

/** The wish names only upstreams outside the set: forbidden, or served by the other gate. */
function outside(request: PlanRequest, wish: Exclude<Wish, { kind: 'unknown' }>, set: readonly string[]): { outcome: 'refused' | 'unknown'; reason: string } {
  const asked = [...new Set(entriesOf(wish, set).map((entry) => entry.upstream))]
  const other: GateName = request.gate === 'local' ? 'cloud' : 'local'
  const there = providerSet({ ...request, gate: other })
  if (asked.length > 0 && asked.every((name) => there.includes(name))) {
    return { outcome: 'unknown', reason: `${asked.join(', ')} is served by gate ${other}, not by gate ${request.gate}` }
  }
  return {
    outcome: 'refused',
    reason: `a run that carries ${describeLabel(request.label)} may not reach ${asked.join(', ')} (${allowances(request)}); here it reaches ${set.join(', ')}`,
  }
}
