import type { Database } from '../../kernel/database/connect.ts'
import { Fault } from '../../kernel/fault.ts'
import { actOf } from '../compose/outbound.ts'
import type { Connector, Receipt } from '../connectors/connector.ts'
import { composeOrder, type OrderHouse } from './compose-order.ts'

/** A name that castellan.yaml cannot give. */
export const orderConnector = 'castellan.orders'
const account = 'this house'

/** Makes an order of what was signed. What it grants the database takes from the signed bytes by itself, once for a draft, and only while that is being released. */
export function createOrderConnector({ pool }: Pick<Database, 'pool'>, now: () => Date, house: () => OrderHouse): Connector {
  async function receiptFor(draft: string): Promise<Receipt | undefined> {
    const { rows } = await pool.query<{ granted_at: Date; name: string }>('select granted_at, name from standing_order where id = $1', [draft])
    return rows[0] && { order: rows[0].name, granted_at: rows[0].granted_at.toISOString() }
  }

  return {
    name: orderConnector,
    kind: 'order',
    account,
    zone: 'machine',
    from: account,
    accepts: (kind) => kind === 'order.stand',
    compose: async (_kind, payload, frame) => composeOrder(payload, frame, house()),
    async deliver(wire, document, _signal, commit) {
      const act = actOf(wire, ['order.stand'], account)
      if (act.expires_at !== null && Date.parse(act.expires_at) <= now().getTime()) throw new Fault('refused', 'connector.not_sent', `the order was over on ${act.expires_at}`)
      await commit()
      await pool.query('select order_grant($1, $2)', [document.id, now()]).catch((error: { code?: string; message?: string }) => {
        if (error.code === '42501' || error.code === 'CA409' || error.code === '23514') throw new Fault('refused', 'connector.not_sent', `the database made no order of it: ${error.message}`, {}, error)
        throw error
      })
      return (await receiptFor(document.id))!
    },
    reconcile: (_wire, document) => receiptFor(document.id),
  }
}
