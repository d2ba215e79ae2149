import type { OutboxDeps } from '../change.ts'
import { countActsInForce } from './acts-in-force.ts'
import { findFence } from './fence.ts'

/** Whether what is signed leaves, and how much of it there is. */
export async function readOutboxState({ database, spent, clock }: Pick<OutboxDeps, 'database' | 'spent' | 'clock'>) {
  const [fence, { rows }] = await Promise.all([findFence(database.pool), database.pool.query<{ held: number; next: Date | null; unknown: number; resume: string | null }>(
    `select count(*) filter (where state in ('held', 'releasing') and kind <> 'outbox.resume')::int as held,
       min(hold_until) filter (where state = 'held' and kind <> 'outbox.resume') as next, count(*) filter (where state = 'unknown')::int as unknown,
       (array_agg(id order by frozen_at desc) filter (where kind = 'outbox.resume' and (state = 'held' or state = 'waiting' and expires_at > $1)))[1] as resume
     from draft where state in ('waiting', 'held', 'releasing', 'unknown')`, [clock.now()],
  )])
  const { held, next, unknown, resume } = rows[0]!
  return {
    state: fence ? 'fenced' : 'open',
    /** `waiting`: what counts again with it, e.g. `2 clearances`. */
    fence: fence ? { id: fence.id, at: fence.at, why: fence.why, waiting: await countActsInForce(database.pool, clock.now()) } : null,
    /** The draft by which the operator lifts the fence, where he has made one. */
    resume: fence ? resume : null,
    held, next, unknown,
    spent: spent.count,
  } as const
}
