import { randomUUID } from 'node:crypto'
import type { Database } from '../../src/kernel/database/connect.ts'

/** The row of an order for messages to the operator, without what proves it: for what only asks whether one stands. `used`: so many of today. @returns its id */
export async function insertOrder(owner: Database, { connector, perDay = 50, used = 0, level = 1, expiresAt = null as Date | null }: { connector: string; perDay?: number; used?: number; level?: number; expiresAt?: Date | null }): Promise<string> {
  const id = randomUUID()
  await owner.pool.query(
    `insert into standing_order (id, name, kind, connector, account, per_day, timezone, level, document, wire, key_id, assertion, decided_at, granted_at, expires_at)
     values ($1, $2, 'telegram.message', $3, '', $4, 'UTC', $5, '{}', '', 'passkey:test', '{}', now(), now(), $6)`,
    [id, `order-${id.slice(0, 8)}`, connector, perDay, level, expiresAt],
  )
  for (let n = 1; n <= used; n += 1) {
    const draft = await insertDraft(owner, { connector, state: 'released' })
    await owner.pool.query(`insert into order_use (draft_id, order_id, day, n, per_day, used_at) values ($1, $2, (now() at time zone 'UTC')::date, $3, $4, now())`, [draft, id, n, perDay])
  }
  return id
}

/** The row of a message to the operator that this run proposed, as it would be after its freeze. */
export async function insertDraft(owner: Database, { connector, state, run = null }: { connector: string; state: string; run?: string | null }): Promise<string> {
  const [proposal, draft] = [randomUUID(), randomUUID()]
  await owner.pool.query(
    `insert into proposal (id, run_id, step_id, item_key, kind, connector, payload, state) values ($1, $2, 'tell', $1::uuid::text, case when $2::uuid is null then 'model.own' else 'telegram.message' end, $3, '{}', 'frozen')`,
    [proposal, run, connector],
  )
  await owner.pool.query(
    `insert into draft (id, proposal_id, kind, connector, account, document, wire, nonce, risk, summary, state, frozen_at, expires_at, closed_at)
     values ($1, $2, 'telegram.message', $3, '', '{}', '', $1::uuid::text, 1, '{}', $4, now(), now(), case when $4 <> 'waiting' then now() end)`,
    [draft, proposal, connector, state],
  )
  return draft
}
