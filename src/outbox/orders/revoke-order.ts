import { Fault } from '../../kernel/fault.ts'
import type { OutboxDeps } from '../change.ts'
import { readDocument } from '../document.ts'
import { listOrders } from './order-store.ts'

/**
 * Takes an order back, at once and without a signature: it can only keep something in. The file says so first, so that no copy of the database brings it
 * back. What it approved and is still held waits for the operator.
 * @throws Fault `order.missing`, `nonce.unwritable`
 */
export async function revokeOrder(deps: OutboxDeps, name: string): Promise<{ id: string; name: string; state: 'revoked' }> {
  const now = deps.clock.now()
  const found = (await listOrders(deps.database.pool)).find(({ order }) => order.name === name && order.revokedAt === null)?.order
  if (!found) throw new Fault('missing', 'order.missing', `no order ${name} stands; \`castellan order list\` shows those that do`)
  const { nonce, origin } = readDocument(found.document)
  if (deps.spent.find(nonce)?.act === 'release') await deps.spent.spend({ nonce, draft: found.id, item: origin.item, act: 'revoked', at: now.toISOString() })
  await deps.database.pool.query('select order_revoke($1, $2)', [name, now])
  deps.onChanged?.()
  return { id: found.id, name, state: 'revoked' }
}
