import { createHash } from 'node:crypto'
import type { PoolClient } from 'pg'
import type { Database } from '../../kernel/database/connect.ts'
import { newId } from '../../kernel/ids.ts'
import type { ImapAccount } from '../../house/index.ts'
import type { MailboxStatus } from './mailbox.ts'

export interface FetchedMessage {
  readonly uid: number
  readonly receivedAt: Date
  readonly raw: Buffer
}

export interface Refused {
  readonly uid: string
  readonly reason: string
}

/** Where one folder of one account stands in the database. A message that is stored again is known by its name and its bytes. */
export interface MirrorStore {
  /** Where to go on from; 0 with `anew` when the server has named its messages anew since the last time. */
  begin(opened: { uidvalidity: bigint; highest: number }): Promise<{ uid: number; anew: boolean; refused: readonly Refused[] }>
  /** @returns how many are new */
  store(messages: readonly FetchedMessage[]): Promise<number>
  /** A piece of a message that is too large to be held as a whole. */
  putPiece(uid: number, part: number, body: Buffer): Promise<void>
  dropPieces(): Promise<void>
  /** Puts the pieces together; together they have so many bytes. */
  storePieces(uid: number, receivedAt: Date, bytes: number): Promise<number>
  advance(upTo: number): Promise<void>
  recordRefused(refused: readonly Refused[]): Promise<void>
  recordState(status: Pick<MailboxStatus, 'state' | 'since' | 'problem'>): Promise<void>
}

/** Of messages that were refused, so many are remembered for the operator. */
const remembered = 50

/** As the releaser. */
export function createMirrorStore(database: Database, account: ImapAccount, folder: string): MirrorStore {
  const { level, integrity, lanes } = account.label
  const server = `${account.user}@${account.host}`
  const place = [account.name, folder]
  let uidvalidity = 0n

  const note = (client: Pick<PoolClient, 'query'>, stored: number, upTo: number) =>
    client.query(`update mailbox set messages = messages + $3, uid = greatest(uid, $4) where account = $1 and folder = $2`, [...place, stored, upTo])

  return {
    async begin({ uidvalidity: current, highest }) {
      uidvalidity = current
      const { rows } = await database.pool.query<{ uid: number; anew: boolean; refused: Refused[] }>(
        `with known as (select server, uidvalidity, uid, refused from mailbox where account = $1 and folder = $2),
           same as (select * from known where server = $3 and uidvalidity = $4 and uid <= $5)
         update mailbox m set server = $3, uidvalidity = $4, uid = coalesce((select uid from same), 0), refused = coalesce((select refused from same), '[]')
         from known where m.account = $1 and m.folder = $2
         returning m.uid, m.refused, known.uidvalidity is not null and not exists (select 1 from same) as anew`,
        [...place, server, current, highest],
      )
      return rows[0]!
    },
    async store(fetched) {
      // in the order of their hashes: two folders that hold the same messages would wait for each other
      const messages = fetched.map((one) => ({ ...one, hash: createHash('sha256').update(one.raw).digest() })).sort((a, b) => Buffer.compare(a.hash, b.hash))
      return database.transaction(async (client) => {
        const { rows } = await client.query<{ fresh: number }>(`select mail_mirror($1, $2, $3, $4, $5, $6, $7, $8, $9::smallint, $10, $11) as fresh`, [
          ...place, uidvalidity, messages.map(() => newId()), messages.map(({ uid }) => uid), messages.map(({ receivedAt }) => receivedAt),
          messages.map(({ raw }) => raw.length), Buffer.concat(messages.map(({ raw }) => raw)), level, integrity, lanes,
        ])
        await note(client, rows[0]!.fresh, 0)
        return rows[0]!.fresh
      })
    },
    async putPiece(uid, part, body) {
      await database.pool.query(`insert into mail_piece (account, folder, uid, part, body) values ($1, $2, $3, $4, $5)`, [...place, `${uidvalidity}/${uid}`, part, body])
    },
    async dropPieces() {
      await database.pool.query(`delete from mail_piece where account = $1 and folder = $2`, place)
    },
    storePieces: (uid, receivedAt, bytes) =>
      database.transaction(async (client) => {
        const { rows } = await client.query<{ fresh: boolean }>(`select mail_mirror_pieces($1, $2, $3, $4, $5, $6, $7, $8::smallint, $9, $10) as fresh`, [
          ...place, uidvalidity, newId(), uid, receivedAt, bytes, level, integrity, lanes,
        ])
        const fresh = rows[0]!.fresh ? 1 : 0
        await note(client, fresh, uid)
        return fresh
      }),
    async advance(upTo) {
      await note(database.pool, 0, upTo)
    },
    async recordRefused(refused) {
      await database.pool.query(`update mailbox set refused = $3 where account = $1 and folder = $2`, [...place, JSON.stringify(refused.slice(-remembered))])
    },
    async recordState({ state, since, problem }) {
      await database.pool.query(
        `insert into mailbox (account, folder, server, state, since, problem) values ($1, $2, $3, $4, $5, $6)
         on conflict (account, folder) do update set state = excluded.state, since = excluded.since, problem = excluded.problem`,
        [...place, server, state, since, problem],
      )
    },
  }
}
