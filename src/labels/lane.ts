import type { Label, Level } from './label.ts'
import type { AsIsPolicy, RedactionPolicy } from './redaction/policy.ts'

/** A stream of work with its own rules: which worker executes it and which models may see it. */
export interface Lane {
  readonly name: string
  readonly worker: 'open' | 'private'
  /** The highest level of this lane that may reach any cloud model; -1: none, whatever the level. */
  readonly cloudClearance: CloudClearance
  /** The providers that may see P2 of this lane, by an act that the operator signed. Left out: none. */
  readonly cleared?: readonly Provider[]
  /** The upstreams that this lane allows; none when empty. */
  readonly providers: readonly string[]
  /** May its text be redacted by one level and then be shown to a cloud model? Left out: no. */
  readonly redacts?: boolean
  /** And how. Left out: as by default. */
  readonly redaction?: RedactionPolicy
  /** What becomes of what is found in text that a cloud model may have as it is, by its level. Left out: as by default. */
  readonly asIs?: Readonly<Partial<Record<Level, AsIsPolicy>>>
}

/** What castellan.yaml can say by itself: P2 takes a signed act, for one provider. */
export type CloudClearance = -1 | 0 | 1

/** An upstream as a signed act names it: at another address it is another one. */
export interface Provider {
  readonly name: string
  readonly url?: string | undefined
}
export type Lanes = ReadonlyMap<string, Lane>

/** What belongs to no lane in particular may be shown to a cloud model up to here. */
const withoutLane: CloudClearance = 1

/** Lanes by name. */
export function lanesByName(lanes: Iterable<Lane>): Lanes {
  return new Map([...lanes].map((lane) => [lane.name, lane]))
}

/** The level that a set of lanes may show to any cloud model: the lowest of them; none for a lane that is not declared. SQL: cloud_clearance(). */
export function cloudClearance(label: Pick<Label, 'lanes'>, lanes: Lanes): CloudClearance {
  if (label.lanes.length === 0) return withoutLane
  return label.lanes.reduce<CloudClearance>((lowest, name) => {
    const own = lanes.get(name)?.cloudClearance ?? -1
    return own < lowest ? own : lowest
  }, 1)
}

/** The level that a set of lanes may show to this provider: P2 where a signed act clears it for each of them. SQL: cloud_cleared(). */
export function providerClearance(label: Pick<Label, 'lanes'>, lanes: Lanes, provider: Provider): CloudClearance | 2 {
  const isCleared = (name: string) => {
    const lane = lanes.get(name)
    return lane !== undefined && lane.cloudClearance >= 0 && (lane.cleared ?? []).some(({ name: upstream, url }) => upstream === provider.name && url !== undefined && url === provider.url)
  }
  return label.lanes.length > 0 && label.lanes.every(isCleared) ? 2 : cloudClearance(label, lanes)
}

/** May text with this label be redacted, and then be shown to a cloud model? Never P3; only if every lane of it says so. SQL: may_redact(). */
export function mayRedact(label: Pick<Label, 'level' | 'lanes'>, lanes: Lanes): boolean {
  const everyLaneRedacts = label.lanes.length > 0 && label.lanes.every((name) => lanes.get(name)?.redacts === true)
  return (label.level === 1 || label.level === 2) && everyLaneRedacts && label.level - 1 <= cloudClearance(label, lanes)
}

/** May this worker execute a run of `lane` with this label? The open one may not, once a cloud model may not see it. SQL: may_execute(). */
export function mayExecute(worker: 'open' | 'private', lane: string, label: Label, lanes: Lanes): boolean {
  return worker === 'private' || queueOf(lane, label, lanes) === 'runs_open'
}

/** The queue that a run belongs on. SQL: queue_of(). */
export function queueOf(lane: string, label: Label, lanes: Lanes): 'runs_open' | 'runs_private' {
  const open = lanes.get(lane)?.worker === 'open' && label.level <= cloudClearance(label, lanes)
  return open ? 'runs_open' : 'runs_private'
}

/** May a session of this worker see a row with this label at all? SQL: the policy `cleared`. */
export function maySee(worker: 'open' | 'private', label: Label, lanes: Lanes): boolean {
  return worker === 'private' || label.level <= cloudClearance(label, lanes)
}

