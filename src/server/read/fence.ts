import type { Database } from '../../kernel/database/connect.ts'
import { countActsInForce } from '../../outbox/index.ts'

/** Since when nothing leaves, because this database is older than what left, why, and what does not count until the operator says so; nothing while all does. */
export async function readFence({ pool }: Pick<Database, 'pool'>, now: Date): Promise<{ at: Date; why: string; waiting: string[] } | undefined> {
  const { rows } = await pool.query<{ at: Date; why: string }>('select fenced_at as at, fence_reason as why from releaser_state where fence_id is not null')
  return rows[0] && { ...rows[0], waiting: await countActsInForce(pool, now) }
}
