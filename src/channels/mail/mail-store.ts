import type { Pool } from 'pg'
import type { Database } from '../../kernel/database/connect.ts'
import { createHash } from 'node:crypto'
import type { MailAccount } from '../../house/index.ts'

export interface RawMessage {
  readonly id: string
  readonly account: MailAccount
  readonly uid: string
  readonly raw: Buffer
  readonly receivedAt: Date
}

/** Where messages of a folder of files are; IMAP has many folders, such a mailbox has one. */
const folder = 'inbox'

/** Those of the names whose message is stored already. */
export async function knownUids(pool: Pool, account: string, uids: readonly string[]): Promise<Set<string>> {
  const { rows } = await pool.query<{ uid: string }>(`select uid from mail_message where account = $1 and folder = $2 and uid = any ($3)`, [account, folder, uids])
  return new Set(rows.map(({ uid }) => uid))
}

/** Stores the bytes under the account's label. @returns false when the message was there */
export async function storeMessage(database: Database, { id, account, uid, raw, receivedAt }: RawMessage): Promise<boolean> {
  const { level, integrity, lanes } = account.label
  return database.transaction(async (client) => {
    const { rows } = await client.query<{ fresh: boolean }>(`select mail_store($1, $2, $3, $4, $5, $6, $7::smallint, $8, $9) as fresh`, [
      id, account.name, folder, uid, raw, receivedAt, level, integrity, lanes,
    ])
    const fresh = rows[0]!.fresh
    if (fresh) {
      const hash = createHash('sha256').update(raw).digest('hex')
      await client.query(`select audit_append('mail.stored', $1, $2, 1::smallint)`, [id, JSON.stringify({ account: account.name, sha256: hash, size: raw.length })])
    }
    return fresh
  })
}

/** Records once for each message that it was not taken in. The name of the file is a stranger's word, so it appears by its hash. */
export async function auditRefusal({ pool }: Database, account: MailAccount, uid: string, reason: string): Promise<void> {
  const subject = `${account.name}/${createHash('sha256').update(uid).digest('hex')}`
  await pool.query(
    `select audit_append('mail.refused', $1, $2, 1::smallint) where not exists (select 1 from audit_event where kind = 'mail.refused' and subject = $1)`,
    [subject, JSON.stringify({ account: account.name, reason })],
  )
}
