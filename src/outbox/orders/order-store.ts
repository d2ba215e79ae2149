import { Fault } from '../../kernel/fault.ts'
import type { Draft } from '../draft.ts'
import type { Queryable } from '../draft-store.ts'
import { readProof, type Proof } from '../keys/proof.ts'
import type { OrderUse } from '../spent-nonces.ts'

/** Only this file touches standing_order and order_use, which the releaser may read and only functions of the database write. */

/** An order as it was signed, with all that proves it. */
export interface StandingOrder {
  readonly id: string
  readonly name: string
  readonly document: string
  readonly wire: Buffer
  readonly proof: Proof
  readonly decidedAt: Date
  readonly grantedAt: Date
  readonly revokedAt: Date | null
}

/** The order that approved a draft, and which use of it that was. */
export interface OrderedBy {
  readonly order: StandingOrder
  readonly use: OrderUse
}

interface Row {
  id: string; name: string; document: string; wire: Buffer; key_id: string; assertion: unknown; decided_at: Date; granted_at: Date; revoked_at: Date | null
}
const columns = 'o.id, o.name, o.document, o.wire, o.key_id, o.assertion, o.decided_at, o.granted_at, o.revoked_at'

/** Every order that could be about such a draft and was not taken back, the oldest first; those too that are over, so that it can be said. */
export async function ordersFor(query: Queryable, { kind, connector }: Pick<Draft, 'kind' | 'connector'>): Promise<StandingOrder[]> {
  const { rows } = await query.query<Row>(`select ${columns} from standing_order o where kind = $1 and connector = $2 and revoked_at is null order by granted_at, id`, [kind, connector])
  return rows.map(fromRow)
}

/** Every order that ever stood, the newest first, with how many of which day it approved last. */
export async function listOrders(query: Queryable): Promise<{ order: StandingOrder; day: string | null; used: number; total: number }[]> {
  const { rows } = await query.query<Row & { day: string | null; used: number; total: number }>(
    `select ${columns}, u.day, coalesce(u.used, 0)::int as used, (select count(*)::int from order_use where order_id = o.id) as total
     from standing_order o left join lateral (select day, max(n) as used from order_use where order_id = o.id group by day order by day desc limit 1) u on true
     order by o.granted_at desc, o.id`,
  )
  return rows.map(({ day, used, total, ...row }) => ({ order: fromRow(row), day, used, total }))
}

/** @throws Fault `order.use` when there is none, which the database does not let happen */
export async function findOrderedBy(query: Queryable, draft: string, order: string): Promise<OrderedBy> {
  const { rows } = await query.query<Row & { day: string; n: number }>(
    `select ${columns}, u.day, u.n from order_use u join standing_order o on o.id = u.order_id where u.draft_id = $1 and u.order_id = $2`, [draft, order],
  )
  const [row] = rows
  if (!row) throw new Fault('refused', 'order.use', `the order that is said to have approved draft ${draft} did not`)
  return { order: fromRow(row), use: { id: order, day: row.day, n: row.n } }
}

/** One more use for this draft; nothing when the count of the day is used up. `known`: of the file of spent nonces. */
export async function takeUse(client: Queryable, { order, draft, at, known }: { order: string; draft: string; at: Date; known: OrderUse | undefined }): Promise<OrderUse | undefined> {
  const { rows } = await client.query<{ taken: { day: string; n: number } | null }>('select order_take($1, $2, $3, $4, $5) as taken', [order, draft, at, known?.day ?? null, known?.n ?? null])
  const { taken } = rows[0]!
  return taken === null ? undefined : { id: order, ...taken }
}

function fromRow(row: Row): StandingOrder {
  return {
    id: row.id, name: row.name, document: row.document, wire: row.wire, proof: readProof({ keyId: row.key_id, signature: null, assertion: row.assertion }),
    decidedAt: row.decided_at, grantedAt: row.granted_at, revokedAt: row.revoked_at,
  }
}
