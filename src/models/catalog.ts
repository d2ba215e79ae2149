import { toFault, type Fault } from '../kernel/fault.ts'
import type { Destination } from '../labels/index.ts'
import type { ModelInfo, Upstream } from './upstream.ts'

/** What an upstream said when it was last asked for its models. */
export interface Listing {
  readonly upstream: string
  /** Undefined: it did not answer, and `fault` says why. */
  readonly models?: readonly ModelInfo[]
  readonly fault?: Pick<Fault, 'kind' | 'code' | 'message'>
  readonly latencyMs: number
}

/** The upstreams of one gate and the models that they have. */
export interface Catalog {
  readonly upstreams: readonly Upstream[]
  readonly destinations: readonly Destination[]
  /** The models of these upstreams, from memory while that is believed and not older than `maxAgeMs`. Never fails: a silent upstream is a listing too. */
  list(names: readonly string[], maxAgeMs?: number): Promise<Listing[]>
  get(name: string): Upstream | undefined
  close(): Promise<void>
}

/** Milliseconds that a list is believed. A model may be pulled or removed beside us; a cloud's list hardly changes. */
const believed = { near: 15_000, cloud: 600_000 }

/** Who refuses at once may be asked again at once; a silence that took long to notice is believed for ten times as long. */
function silenceBelieved(latencyMs: number): number {
  return latencyMs < 500 ? 0 : Math.min(10 * latencyMs, 30_000)
}

export function createCatalog(upstreams: readonly Upstream[], now: () => number = () => performance.now()): Catalog {
  const byName = new Map(upstreams.map((upstream) => [upstream.name, upstream]))
  const remembered = new Map<string, { listing: Listing; at: number; until: number }>()
  const asking = new Map<string, Promise<Listing>>()

  async function ask(upstream: Upstream): Promise<Listing> {
    const started = now()
    const latencyMs = () => Math.round((now() - started) * 10) / 10
    let listing: Listing
    try {
      listing = { upstream: upstream.name, models: await upstream.models(), latencyMs: latencyMs() }
    } catch (error) {
      const { kind, code, message } = toFault(error)
      listing = { upstream: upstream.name, fault: { kind, code, message }, latencyMs: latencyMs() }
    }
    const keep = listing.fault ? silenceBelieved(listing.latencyMs) : upstream.zone === 'cloud' ? believed.cloud : believed.near
    remembered.set(upstream.name, { listing, at: now(), until: now() + keep })
    return listing
  }

  async function listOne(name: string, maxAgeMs: number): Promise<Listing[]> {
    const upstream = byName.get(name)
    if (!upstream) return []
    const known = remembered.get(name)
    if (known && now() < known.until && now() - known.at < maxAgeMs) return [known.listing]
    const running = asking.get(name) ?? ask(upstream).finally(() => asking.delete(name))
    asking.set(name, running)
    return [await running]
  }

  return {
    upstreams,
    destinations: upstreams.map(({ name, zone }) => ({ name, zone })),
    list: async (names, maxAgeMs = Infinity) => (await Promise.all(names.map((name) => listOne(name, maxAgeMs)))).flat(),
    get: (name) => byName.get(name),
    close: async () => {
      await Promise.all(upstreams.map((upstream) => upstream.close()))
    },
  }
}
