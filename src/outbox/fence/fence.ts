import { newId } from '../../kernel/ids.ts'
import type { OutboxDeps } from '../change.ts'
import type { DraftState } from '../draft.ts'
import { statesOf, type Queryable } from '../draft-store.ts'
import type { SpentNonce } from '../spent-nonces.ts'

/** The outbox stands still since then, because its database is older than the file of spent nonces. */
export interface Fence {
  readonly id: string
  readonly at: Date
  readonly why: string
}

/** What a row may say of a draft after the last entry of it was written, however the releaser ended in between. */
const explained: Readonly<Record<SpentNonce['act'], readonly DraftState[]>> = {
  release: ['releasing', 'released', 'failed', 'unknown'],
  returned: ['releasing', 'held', 'released', 'failed', 'unknown', 'undone'],
  failed: ['releasing', 'failed', 'released', 'unknown'],
  // of what was unknown the operator may have said how it ended
  undo: ['held', 'undone', 'unknown', 'released', 'failed'],
  // the row that a change which was not recorded left waiting may have been denied or expired since
  replace: ['waiting', 'replaced', 'denied', 'expired', 'unknown', 'released', 'failed'],
  revoked: ['released', 'unknown', 'failed'],
  // written out of what this database knows itself
  lost: ['waiting', 'signed', 'held', 'releasing', 'released', 'failed', 'unknown', 'denied', 'expired', 'undone', 'replaced'],
}

/** The drafts of which the file says what no crash, but only an older database explains. `known`: as many entries the database had heard of. */
export async function lostBy({ spent, database }: Pick<OutboxDeps, 'spent' | 'database'>, known: number): Promise<string[]> {
  const last = new Map(spent.since(known).map((entry) => [entry.draft, entry.act]))
  const states = await statesOf(database.pool, [...last.keys()])
  return [...last].filter(([draft, act]) => !explained[act].some((state) => state === states.get(draft))).map(([draft]) => draft)
}

/** Nothing is released from now on, but the operator's word that it goes on. A fence that stands stays what it is. */
export async function fenceOutbox({ database, clock, log }: Pick<OutboxDeps, 'database' | 'clock' | 'log'>, lost: number): Promise<void> {
  const why = `the database is a copy from before: of ${lost} draft${lost === 1 ? '' : 's'} that the file of spent nonces knows it does not know what became of them`
  log.error({ lost }, 'the database is older than the file of spent nonces; nothing is released until the operator confirms it: castellan outbox status')
  await database.pool.query('select outbox_fence($1, $2, $3)', [newId(), clock.now(), why])
}

export async function findFence(query: Queryable): Promise<Fence | undefined> {
  const { rows } = await query.query<{ id: string; at: Date; why: string }>('select fence_id as id, fenced_at as at, fence_reason as why from releaser_state where fence_id is not null')
  return rows[0]
}
