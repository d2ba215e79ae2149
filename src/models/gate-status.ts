import type { GateName, Zone } from '../labels/index.ts'
import type { Listing } from './catalog.ts'
import type { DeclaredModels } from './declared-models.ts'

/** An upstream as its gate sees it; nothing in it opens anything. */
export interface UpstreamStatus {
  readonly name: string
  readonly zone: Zone
  readonly reachable: boolean
  /** Of the last time it was asked for its models. */
  readonly latency_ms: number
  readonly models: readonly { readonly name: string; readonly zone: Zone; readonly embedding: boolean }[]
  readonly error?: { readonly code: string; readonly message: string }
}

export interface GateStatus {
  readonly gate: GateName
  /** Where outside clients reach it. */
  readonly address: string
  readonly upstreams: readonly UpstreamStatus[]
  readonly routes: DeclaredModels['routes']
}

/** Asks the upstreams of a gate for their models; `fresh` does not believe what they said before. */
export async function gateStatus(gate: GateName, address: string, { catalog, routes }: DeclaredModels, fresh: boolean): Promise<GateStatus> {
  const listings = await catalog.list(catalog.upstreams.map(({ name }) => name), fresh ? 0 : undefined)
  return {
    gate,
    address,
    upstreams: catalog.upstreams.map(({ name, zone }) => statusOf(name, zone, listings.find((listing) => listing.upstream === name))),
    routes,
  }
}

function statusOf(name: string, zone: Zone, listing: Listing | undefined): UpstreamStatus {
  return {
    name,
    zone,
    reachable: listing?.models !== undefined,
    latency_ms: listing?.latencyMs ?? 0,
    models: listing?.models ?? [],
    ...(listing?.fault ? { error: { code: listing.fault.code, message: listing.fault.message } } : {}),
  }
}
