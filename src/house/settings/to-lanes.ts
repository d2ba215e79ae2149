import { HOUSE_LANE, type Lane } from '../../labels/index.ts'
import type { CastellanFile } from './castellan-file.ts'

/** There even when the file does not declare them; tools that are called by hand run in `private`. */
export const builtInLanes = ['private', HOUSE_LANE] as const

/** The lanes with their upstreams filled in. */
export function toLanes(file: CastellanFile): Lane[] {
  const upstreams = Object.entries(file.models.upstreams)
  const local = upstreams.filter(([, upstream]) => upstream.zone === 'machine').map(([name]) => name)
  const declared = Object.entries(file.lanes).map(([name, lane]) => ({
    name,
    worker: lane.worker,
    cloudClearance: lane.cloud_clearance,
    providers: lane.providers ?? local,
    redacts: lane.redact !== false,
    ...(typeof lane.redact === 'object' && { redaction: lane.redact }),
    asIs: { ...(lane.as_is.P0 && { 0: lane.as_is.P0 }), ...(lane.as_is.P1 && { 1: lane.as_is.P1 }), ...(lane.as_is.P2 && { 2: lane.as_is.P2 }) },
  }))
  const builtIn: Lane[] = [
    { name: 'private', worker: 'private', cloudClearance: -1, providers: local },
    { name: HOUSE_LANE, worker: 'private', cloudClearance: 1, providers: upstreams.map(([name]) => name) },
  ]
  return [...declared, ...builtIn.filter((lane) => !Object.hasOwn(file.lanes, lane.name))].sort((a, b) => (a.name < b.name ? -1 : 1))
}
