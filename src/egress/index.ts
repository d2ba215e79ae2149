export type { Destination } from './destination.ts'
export { openEgressProxy, type EgressLedger, type EgressProxy } from './proxy.ts'
