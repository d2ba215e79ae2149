import type { Database } from './database/connect.ts'

/** How many rows of each kind a sweep removed or emptied. */
export interface Swept {
  readonly logLines: number
  readonly sessions: number
  readonly contents: number
  readonly messages: number
  readonly outputs: number
}

const batch = 5_000

/**
 * Removes what was kept long enough: log lines and sessions as rows, content and step outputs as bodies whose hash stays,
 * so that the audit can still name what it was about. As the owner. In small transactions; a sweep that dies is finished by the next.
 */
export async function sweepRetention(owner: Database, now: Date = new Date()): Promise<Swept> {
  const until = async (text: string): Promise<number> => {
    for (let total = 0; ; ) {
      const { rowCount } = await owner.pool.query(text, [now, batch])
      total += rowCount ?? 0
      if ((rowCount ?? 0) < batch) return total
    }
  }
  return {
    logLines: await until('delete from run_log where id in (select id from run_log where retain_until < $1 limit $2)'),
    // the ledger of calls names its sessions; those go when their calls are gone
    sessions: await until(
      `delete from session where id in (
         select id from session s where expires_at < $1::timestamptz - interval '1 day' and not exists (select 1 from model_call where session_id = s.id) limit $2)`,
    ),
    contents: await until('update content set body = null where hash in (select hash from content where retain_until < $1 and body is not null limit $2)'),
    messages: await until(
      `update mail_message set envelope = null, body_text = null, parse_error = null where id in (
         select id from mail_message where retain_until < $1 and (envelope is not null or body_text is not null or parse_error is not null) limit $2)`,
    ),
    outputs: await until(
      `update step set output = null, error = null where (run_id, id) in (
         select run_id, id from step where retain_until < $1 and (output is not null or error is not null) limit $2)`,
    ),
  }
}
