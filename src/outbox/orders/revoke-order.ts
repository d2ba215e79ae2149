import { Fault } from '../../kernel/fault.ts'
import type { OutboxDeps } from '../change.ts'
import { noteTakenBack } from '../fence/taken-back.ts'
import { listOrders } from './order-store.ts'

/**
 * Takes an order back, at once and without a signature: it can only keep something in. The file then says so too, so that no copy of the database brings it
 * back. What it approved and is still held waits for the operator.
 * @throws Fault `order.missing`, `nonce.unwritable`
 */
export async function revokeOrder(deps: OutboxDeps, name: string): Promise<{ id: string; name: string; state: 'revoked' }> {
  const found = (await listOrders(deps.database.pool)).find(({ order }) => order.name === name && order.revokedAt === null)?.order
  if (!found) throw new Fault('missing', 'order.missing', `no order ${name} stands; \`castellan order list\` shows those that do`)
  await deps.database.pool.query('select order_revoke($1, $2)', [name, deps.clock.now()])
  deps.onChanged?.()
  await noteTakenBack(deps, [found])
  return { id: found.id, name, state: 'revoked' }
}
