import type { Database } from '../../kernel/database/connect.ts'

/** Since when nothing leaves, because this database is older than what left, and why; nothing while it does. */
export async function readFence({ pool }: Pick<Database, 'pool'>): Promise<{ at: Date; why: string } | undefined> {
  const { rows } = await pool.query<{ at: Date; why: string }>('select fenced_at as at, fence_reason as why from releaser_state where fence_id is not null')
  return rows[0]
}
