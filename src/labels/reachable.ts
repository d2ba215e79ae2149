import type { Label } from './label.ts'
import { cloudClearance, providerClearance, type Lanes } from './lane.ts'

/** Where data ends up: this machine and those declared one's own, the mesh, a cloud model, the internet. */
export const zones = ['machine', 'mesh', 'cloud', 'internet'] as const
export type Zone = (typeof zones)[number]

/** An endpoint that data could be sent to. */
export interface Destination {
  readonly name: string
  readonly zone: Zone
  /** Where it answers; an act that clears it names that too. */
  readonly url?: string
  /** Of the mesh: the operator has signed that this machine is his own. */
  readonly owned?: boolean
}

/**
 * The highest level that may go to a zone, or to this one destination there; below 0: nothing may. A zone that nobody knows is cleared for
 * nothing.
 */
export function zoneClearance(zone: Zone, label: Pick<Label, 'lanes'>, lanes: Lanes, to?: Destination): number {
  switch (zone) {
    case 'machine':
      return 3
    case 'mesh':
      return to?.owned === true ? 3 : 2
    case 'cloud':
      return to ? providerClearance(label, lanes, to) : cloudClearance(label, lanes)
    case 'internet':
      return 0
    default:
      return -1
  }
}

/**
 * The upstreams that a call with this label may reach, in the order given: those that every lane allows and whose zone is cleared for
 * the level. Computed before any fallback; a retry, a shadow or a judge inherits it and can only take away.
 */
export function reachable(label: Label, lanes: Lanes, upstreams: readonly Destination[]): string[] {
  return upstreams
    .filter((upstream) => label.level <= zoneClearance(upstream.zone, label, lanes, upstream) && everyLaneAllows(label, lanes, upstream.name))
    .map((upstream) => upstream.name)
}

function everyLaneAllows(label: Label, lanes: Lanes, upstream: string): boolean {
  return label.lanes.every((name) => lanes.get(name)?.providers.includes(upstream) ?? false)
}
