import { newId } from '../../kernel/ids.ts'
import type { OutboxDeps } from '../change.ts'
import type { DraftState } from '../draft.ts'
import { statesOf, type Queryable } from '../draft-store.ts'
import type { SpentNonce } from '../spent-nonces.ts'
import { takenBackOf } from './taken-back.ts'

/** The outbox stands still since then, because its database is older than the file of spent nonces. */
export interface Fence {
  readonly id: string
  readonly at: Date
  readonly why: string
}

/** What a row may say of a draft after the last entry of it was written, however the releaser ended in between. */
const explained: Readonly<Record<Exclude<SpentNonce['act'], 'revoked'>, readonly DraftState[]>> = {
  release: ['releasing', 'released', 'failed', 'unknown'],
  returned: ['releasing', 'held', 'released', 'failed', 'unknown', 'undone'],
  failed: ['releasing', 'failed', 'released', 'unknown'],
  // of what was unknown the operator may have said how it ended
  undo: ['held', 'undone', 'unknown', 'released', 'failed'],
  // the row that a change which was not recorded left waiting may have been denied or expired since
  replace: ['waiting', 'replaced', 'denied', 'expired', 'unknown', 'released', 'failed'],
  // written out of what this database knows itself
  lost: ['waiting', 'signed', 'held', 'releasing', 'released', 'failed', 'unknown', 'denied', 'expired', 'undone', 'replaced'],
}

/** What the file says that no crash, but only an older database explains. */
export interface Lost {
  /** What became of so many of them. */
  readonly drafts: number
  /** That so many clearances, keys and orders were taken back. */
  readonly takenBack: number
}

/** `known`: as many entries the database had heard of. */
export async function lostBy({ spent, database }: Pick<OutboxDeps, 'spent' | 'database'>, known: number): Promise<Lost> {
  const last = new Map(spent.since(known).map((entry) => [entry.draft, entry.act]))
  const [states, takenBack] = await Promise.all([statesOf(database.pool, [...last.keys()]), takenBackOf(database.pool, [...last.keys()])])
  const lost = { drafts: 0, takenBack: 0 }
  for (const [id, act] of last) {
    // what was taken back was so in the database first
    if (act === 'revoked') lost.takenBack += takenBack.has(id) ? 0 : 1
    else lost.drafts += explained[act].some((state) => state === states.get(id)) ? 0 : 1
  }
  return lost
}

/** Nothing is released from now on, nor counts what he signed or gave away, but the operator's word that it goes on. A fence that stands stays what it is. */
export async function fenceOutbox({ database, clock, log }: Pick<OutboxDeps, 'database' | 'clock' | 'log'>, { drafts, takenBack }: Lost): Promise<void> {
  const missing = [
    ...(drafts > 0 ? [`of ${drafts} draft${drafts === 1 ? '' : 's'} that the file of spent nonces knows it does not know what became of them`] : []),
    ...(takenBack > 0 ? [`it does not know that ${takenBack === 1 ? 'a clearance, key or order was' : `${takenBack} clearances, keys or orders were`} taken back`] : []),
  ]
  const why = `the database is a copy from before: ${missing.join('; ')}`
  log.error({ drafts, takenBack }, 'the database is older than the file of spent nonces; nothing is released, and no clearance or key of a program counts, until the operator confirms it: castellan outbox status')
  await database.pool.query('select outbox_fence($1, $2, $3)', [newId(), clock.now(), why])
}

export async function findFence(query: Queryable): Promise<Fence | undefined> {
  const { rows } = await query.query<{ id: string; at: Date; why: string }>('select fence_id as id, fenced_at as at, fence_reason as why from releaser_state where fence_id is not null')
  return rows[0]
}
