import type { OutboxDeps } from '../change.ts'
import { proposeByOperator } from '../operator-proposal.ts'
import { orderConnector } from './order-connector.ts'

/** Makes a draft of an order that the operator wants. It approves nothing before he has signed it with a passkey. @throws Fault `draft.refused` with what is wrong with it */
export function proposeOrder(deps: OutboxDeps, wanted: unknown): Promise<{ draft: string; risk: number }> {
  return proposeByOperator(deps, 'order.stand', orderConnector, wanted)
}
