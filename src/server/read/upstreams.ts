import type { Database } from '../../kernel/database/connect.ts'
import type { House } from '../../house/index.ts'
import { gateOf } from '../../labels/index.ts'
import type { GateReport } from '../../models/index.ts'
import type { UpstreamView } from '../api.ts'

export type UpstreamState = Pick<UpstreamView, 'name' | 'state' | 'reason' | 'latency_ms' | 'models' | 'resting'>

type Declared = House['settings']['models']['upstreams'][number]

/** How the upstreams of the house are, as their gates say; one that no gate could ask is in the list too. */
export function upstreamStates(upstreams: readonly Declared[], reports: readonly GateReport[]): UpstreamState[] {
  return upstreams.map((upstream) => ({ name: upstream.name, ...stateOf(upstream, reports) }))
}

/** Machines that castellan.yaml says are the operator's own, and that he has not signed to be, at the address that they have now. */
export async function unsignedMachines({ pool }: Pick<Database, 'pool'>, { settings }: Pick<House, 'settings'>): Promise<string[]> {
  const own = settings.models.upstreams.filter((upstream) => upstream.own)
  if (own.length === 0) return []
  const { rows } = await pool.query<{ upstream: string; url: string }>(
    'select upstream, url from clearance where lane is null and revoked_at is null and (expires_at is null or expires_at > clock_timestamp())',
  )
  return own.filter(({ name, url }) => !rows.some((row) => row.upstream === name && row.url === url)).map(({ name }) => name)
}

function stateOf({ name, zone }: Declared, reports: readonly GateReport[]): Omit<UpstreamState, 'name'> {
  const notAsked = (reason: string): Omit<UpstreamState, 'name'> => ({ state: 'not asked', reason, latency_ms: null, models: [], resting: [] })
  const gate = gateOf(zone)
  if (gate === undefined) return notAsked(`no gate serves the zone ${zone}`)
  const report = reports.find((one) => one.gate === gate)
  if (!report?.answers) return notAsked(report?.error.message ?? `gate ${gate} was not asked`)
  const seen = report.status.upstreams.find((one) => one.name === name)
  if (!seen) return notAsked(`gate ${gate} does not know it yet; try again in a moment`)
  const reason = seen.error?.message ?? null
  if (seen.state === 'not asked') return notAsked(reason ?? '')
  return { state: seen.state, reason, latency_ms: seen.latency_ms, models: seen.models.map((model) => ({ ...model })), resting: seen.resting.map((model) => ({ ...model })) }
}
