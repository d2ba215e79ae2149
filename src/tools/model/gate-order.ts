import type { Settings } from '../../house/index.ts'
import { gateOf, type GateName } from '../../labels/index.ts'

/**
 * Of the gates that a worker has, those to ask for a task: in the order in which its route comes to their zones, none that the route
 * leaves out, the near one first where it says nothing. Only an order: what a call may reach is decided by each gate, from the session.
 */
export function gateOrder(task: string, { routes, upstreams }: Settings['models'], gates: readonly GateName[]): GateName[] {
  const route = Object.hasOwn(routes, task) ? routes[task] : routes['default']
  if (!route) return gates.toSorted((a) => (a === 'local' ? -1 : 1))
  const zones = route.flatMap((target) => upstreams.filter(({ name }) => name === target.upstream).map(({ zone }) => zone))
  const order = [...new Set(zones.map(gateOf))].filter((gate) => gate !== undefined && gates.includes(gate))
  return order.length > 0 ? (order as GateName[]) : ['local']
}
