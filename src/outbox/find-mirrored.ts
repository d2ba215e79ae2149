import { fromRow, type LabelRow } from '../labels/index.ts'
import type { MirroredMessage } from './compose/composed.ts'
import type { Queryable } from './draft-store.ts'

/** A message by its id: where it is and what its bytes are by what the releaser stored, the rest by what a worker read in it. */
export async function findMirrored(query: Queryable, id: string): Promise<MirroredMessage | undefined> {
  const { rows } = await query.query<LabelRow & Omit<MirroredMessage, 'label'>>(
    `select account, folder, uid, encode(raw_hash, 'hex') as sha256, size, message_id as "messageId",
       coalesce(nullif(envelope #>> '{from,address}', ''), envelope #>> '{from,name}', '') as "from", coalesce(envelope ->> 'subject', '') as subject,
       label_level, label_integrity, label_lanes
     from mail_message where id = $1`,
    [id],
  )
  const row = rows[0]
  if (!row) return undefined
  const { label_level: _level, label_integrity: _integrity, label_lanes: _lanes, ...message } = row
  return { ...message, label: fromRow(row) }
}
