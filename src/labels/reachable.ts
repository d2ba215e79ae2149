import type { Label } from './label.ts'
import { cloudClearance, type Lanes } from './lane.ts'

/** Where data ends up: this machine and those declared one's own, the mesh, a cloud model, the internet. */
export const zones = ['machine', 'mesh', 'cloud', 'internet'] as const
export type Zone = (typeof zones)[number]

/** An endpoint that data could be sent to. */
export interface Destination {
  readonly name: string
  readonly zone: Zone
}

/** The highest level that may go to a zone; below 0: nothing may. A zone that nobody knows is cleared for nothing. */
export function zoneClearance(zone: Zone, label: Pick<Label, 'lanes'>, lanes: Lanes): number {
  switch (zone) {
    case 'machine':
      return 3
    case 'mesh':
      return 2
    case 'cloud':
      return cloudClearance(label, lanes)
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
    .filter((upstream) => label.level <= zoneClearance(upstream.zone, label, lanes) && everyLaneAllows(label, lanes, upstream.name))
    .map((upstream) => upstream.name)
}

function everyLaneAllows(label: Label, lanes: Lanes, upstream: string): boolean {
  return label.lanes.every((name) => lanes.get(name)?.providers.includes(upstream) ?? false)
}
