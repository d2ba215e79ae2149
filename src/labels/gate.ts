import type { Zone } from './reachable.ts'

export type GateName = 'local' | 'cloud'

/** The zones that a gate serves. The gate with the cloud keys serves nothing near, the other nothing far. */
export const zonesOf: Readonly<Record<GateName, readonly Zone[]>> = { local: ['machine', 'mesh'], cloud: ['cloud'] }

/** The gate that serves a zone; none serves the internet. */
export function gateOf(zone: Zone): GateName | undefined {
  return (['local', 'cloud'] as const).find((gate) => zonesOf[gate].includes(zone))
}
