import { createHash } from 'node:crypto'
import type { Database } from '../../kernel/database/connect.ts'
import { iso } from '../read/label-view.ts'
import type { SessionLine } from '../api.ts'

/** Who may ask through a browser. Its tables are touched here alone; they hold hashes of what lets somebody in. */
export interface OpenSession {
  readonly id: string
  readonly seenAt: Date
}

/** Sessions that an operator cannot have opened by hand are somebody's loop; the oldest go. */
const mostSessions = 50

const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest()

/** A link is good for one use until then. Those that are too old go with the occasion. */
export async function keepCode(database: Database, code: string, now: Date, expiresAt: Date): Promise<void> {
  await database.kysely.deleteFrom('signin_code').where('expires_at', '<=', now).execute()
  await database.kysely.insertInto('signin_code').values({ code_hash: hashOf(code), expires_at: expiresAt }).execute()
}

/** Uses a code up and opens a session, in one transaction. False: nobody made this code, it was used, or it is too old. */
export async function openSession(database: Database, code: string, session: { id: string; token: string; browser: string; now: Date; expiresAt: Date }): Promise<boolean> {
  const { id, token, browser, now, expiresAt } = session
  return database.transaction(async (client) => {
    const { rowCount } = await client.query('delete from signin_code where code_hash = $1 and expires_at > $2', [hashOf(code), now])
    if (rowCount === 0) return false
    await client.query("select audit_append('signin.opened', $1, $2, 1::smallint)", [id, JSON.stringify({ browser })])
    await client.query('delete from web_session where expires_at <= $1 or id in (select id from web_session order by seen_at desc offset $2)', [now, mostSessions - 1])
    await client.query('insert into web_session (id, key_hash, browser, opened_at, seen_at, expires_at) values ($1, $2, $3, $4, $4, $5)', [id, hashOf(token), browser, now, expiresAt])
    return true
  })
}

export async function findSession(database: Database, token: string, now: Date): Promise<OpenSession | undefined> {
  const row = await database.kysely.selectFrom('web_session').select(['id', 'seen_at']).where('key_hash', '=', hashOf(token)).where('expires_at', '>', now).executeTakeFirst()
  return row && { id: row.id, seenAt: row.seen_at }
}

export async function isOpen(database: Database, id: string, now: Date): Promise<boolean> {
  return (await database.kysely.selectFrom('web_session').select('id').where('id', '=', id).where('expires_at', '>', now).executeTakeFirst()) !== undefined
}

export async function touchSession(database: Database, id: string, now: Date, expiresAt: Date): Promise<void> {
  await database.kysely.updateTable('web_session').set({ seen_at: now, expires_at: expiresAt }).where('id', '=', id).execute()
}

/** The newest first. */
export async function listSessions(database: Database, now: Date): Promise<SessionLine[]> {
  const rows = await database.kysely.selectFrom('web_session').select(['id', 'browser', 'opened_at', 'seen_at', 'expires_at']).orderBy('id', 'desc').execute()
  return rows.map(({ id, browser, ...at }) => ({
    id, browser,
    state: at.expires_at > now ? 'open' : 'expired',
    opened_at: iso(at.opened_at),
    seen_at: iso(at.seen_at),
    expires_at: iso(at.expires_at),
  }))
}

/** False: there is no such session. */
export async function closeSession(database: Database, id: string): Promise<boolean> {
  return database.transaction(async (client) => {
    const { rowCount } = await client.query('delete from web_session where id = $1', [id])
    if (rowCount === 0) return false
    await client.query("select audit_append('signin.closed', $1, '{}', 1::smallint)", [id])
    return true
  })
}
