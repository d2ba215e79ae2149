import type { Label, Lane } from '../../labels/index.ts'
import type { CastellanFile } from './castellan-file.ts'

/**
 * The lane of what belongs to none in particular. Without it, a lane that may show P2 to a cloud model would take along whatever
 * unlaned P2 a run of it reads; with it, that reading lowers the run's clearance to P1.
 */
export const houseLane = 'house'
/** There even when the file does not declare them; tools that are called by hand run in `private`. */
export const builtInLanes = ['private', houseLane] as const

/** The lanes with their upstreams filled in. */
export function toLanes(file: CastellanFile): Lane[] {
  const upstreams = Object.entries(file.models.upstreams)
  const local = upstreams.filter(([, upstream]) => upstream.zone === 'machine').map(([name]) => name)
  const declared = Object.entries(file.lanes).map(([name, lane]) => ({
    name,
    worker: lane.worker,
    cloudClearance: lane.cloud_clearance,
    providers: lane.providers ?? local,
  }))
  const builtIn: Lane[] = [
    { name: 'private', worker: 'private', cloudClearance: -1, providers: local },
    { name: houseLane, worker: 'private', cloudClearance: 1, providers: upstreams.map(([name]) => name) },
  ]
  return [...declared, ...builtIn.filter((lane) => !Object.hasOwn(file.lanes, lane.name))].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** P2 and above always belong to a lane. */
export function withLane(label: Label): Label {
  if (label.level < 2 || label.lanes.length > 0) return { ...label, lanes: [...new Set(label.lanes)].sort() }
  return { ...label, lanes: [houseLane] }
}
