import type { Queryable } from './draft-store.ts'

/** What became of the copy of a mail in the mailbox of its sender. */
export type SentCopy = 'waiting' | 'filed' | 'present' | 'failed'

/** Asks for a copy of what this draft sent. */
export async function wantSentCopy(client: Queryable, draft: string, at: Date): Promise<void> {
  await client.query(`update delivery set sent_copy = 'waiting', sent_copy_at = $2 where draft_id = $1 and state = 'delivered' and sent_copy is null`, [draft, at])
}

/** The drafts whose copies are due, the oldest first, with the tries that failed. */
export async function dueSentCopies(query: Queryable, now: Date): Promise<{ draft: string; tries: number }[]> {
  const { rows } = await query.query<{ draft: string; tries: number }>(
    `select draft_id as draft, sent_copy_tries as tries from delivery where sent_copy = 'waiting' and sent_copy_at <= $1 order by sent_copy_at, draft_id limit 100`,
    [now],
  )
  return rows
}

/** When the next copy is due. */
export async function nextSentCopy(query: Queryable): Promise<Date | undefined> {
  const { rows } = await query.query<{ next: Date | null }>(`select min(sent_copy_at) as next from delivery where sent_copy = 'waiting'`)
  return rows[0]?.next ?? undefined
}

/** It is there, or it never will be. */
export async function closeSentCopy(query: Queryable, draft: string, state: Exclude<SentCopy, 'waiting'>, reason: string | null, at: Date): Promise<void> {
  await query.query(`update delivery set sent_copy = $2, sent_copy_reason = $3, sent_copy_at = $4 where draft_id = $1 and sent_copy = 'waiting'`, [draft, state, reason, at])
}

export async function postponeSentCopy(query: Queryable, draft: string, reason: string, next: Date): Promise<void> {
  await query.query(
    `update delivery set sent_copy_tries = sent_copy_tries + 1, sent_copy_reason = $2, sent_copy_at = $3 where draft_id = $1 and sent_copy = 'waiting'`,
    [draft, reason, next],
  )
}
