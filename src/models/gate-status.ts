import type { GateName, Zone } from '../labels/index.ts'
import type { Catalog, Listing } from './catalog.ts'
import { keyMissing, type DeclaredModels } from './declared-models.ts'
import type { Routing } from './route/open-routing.ts'
import type { ModelInfo } from './upstream.ts'

/** An upstream as its gate sees it; nothing in it opens anything. */
export interface UpstreamStatus {
  readonly name: string
  readonly zone: Zone
  /** `not asked`: its key is missing, and without it nobody is asked. */
  readonly state: 'answers' | 'silent' | 'not asked'
  /** Of the last time it was asked for its models. */
  readonly latency_ms: number
  readonly models: readonly ModelInfo[]
  readonly error?: { readonly code: string; readonly message: string }
  /** Models that kept failing, or are limited, and are not asked for so many milliseconds. */
  readonly resting: readonly { readonly model: string; readonly endpoint: string; readonly for_ms: number }[]
}

export interface GateStatus {
  readonly gate: GateName
  /** Where outside clients reach it. */
  readonly address: string
  readonly upstreams: readonly UpstreamStatus[]
  readonly routes: DeclaredModels['routes']
}

type Asked = Pick<DeclaredModels, 'catalog' | 'routes'> & Pick<Routing, 'resting'>

/** Milliseconds that a status waits for an upstream; what it says later is in the next status. */
const patience = 2_000

/** Asks the upstreams of a gate for their models; `fresh` does not believe what they said before. One that hangs holds nobody up. */
export async function gateStatus(
  gate: GateName, address: string, { catalog, routes, resting }: Asked, fresh: boolean, patienceMs = patience,
): Promise<GateStatus> {
  const upstreams = catalog.upstreams.map(async ({ name, zone }) => statusOf(name, zone, await listInTime(catalog, name, fresh, patienceMs), resting()))
  return { gate, address, upstreams: await Promise.all(upstreams), routes }
}

async function listInTime(catalog: Catalog, name: string, fresh: boolean, patienceMs: number): Promise<Listing | undefined> {
  const late = Promise.withResolvers<Listing[]>()
  const fault = { kind: 'timeout', code: 'upstream.late', message: `upstream ${name} has not answered for ${patienceMs} ms` } as const
  const timer = setTimeout(() => late.resolve([{ upstream: name, fault, latencyMs: patienceMs }]), patienceMs)
  const [listing] = await Promise.race([catalog.list([name], fresh ? 0 : undefined), late.promise])
  clearTimeout(timer)
  return listing
}

function statusOf(name: string, zone: Zone, listing: Listing | undefined, resting: ReturnType<Routing['resting']>): UpstreamStatus {
  const { models, fault, latencyMs = 0 } = listing ?? {}
  return {
    name,
    zone,
    state: models ? 'answers' : fault?.code === keyMissing ? 'not asked' : 'silent',
    latency_ms: latencyMs,
    models: models ?? [],
    resting: resting.filter(({ upstream }) => upstream === name).map(({ model, endpoint, forMs }) => ({ model, endpoint, for_ms: forMs })),
    ...(fault ? { error: { code: fault.code, message: fault.message } } : {}),
  }
}
