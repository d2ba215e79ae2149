import { createHash } from 'node:crypto'
import { Fault, toFault } from '../../kernel/fault.ts'
import type { OutboxDeps } from '../change.ts'
import { readDocument } from '../document.ts'
import { raiseSpentCount, type Queryable } from '../draft-store.ts'
import type { SpentNonce } from '../spent-nonces.ts'

type Deps = Pick<OutboxDeps, 'database' | 'spent' | 'clock' | 'log'>

/** A clearance, a key or an order that was taken back; `document`: of an order, the one whose nonce made it. */
export interface TakenBackAct {
  readonly id: string
  readonly document: string | null
}

/**
 * Writes into the file what the database says was taken back, so that a copy from before is known by it. After the database, so that no crash in between
 * looks like such a copy: the next start writes it then.
 * @throws Fault `nonce.unwritable`: it counts no more, and only the file does not know so
 */
export async function noteTakenBack({ database, spent, clock }: Omit<Deps, 'log'>, acts: readonly TakenBackAct[]): Promise<void> {
  const at = clock.now().toISOString()
  const entries = acts.flatMap((act) => entryFor({ spent }, act, at) ?? [])
  if (entries.length === 0) return
  await spent.spend(...entries).catch((error: unknown) => {
    const { kind, code, message } = toFault(error)
    throw new Fault(kind, code, `it is taken back and counts no more, but an older copy of the database could bring it back until the next start writes it down: ${message}`, {}, error)
  })
  await raiseSpentCount(database.pool, spent.count)
}

/** Brings file and database together: what either knows to be taken back is so in both. */
export async function agreeOnTakenBack(deps: Deps): Promise<void> {
  const { database: { pool }, spent, clock, log } = deps
  const ids = new Set(spent.since(0).filter(({ act }) => act === 'revoked').map(({ draft }) => draft))
  const { rows } = await pool.query<{ count: number }>('select acts_take_back_again($1, $2) as count', [[...ids], clock.now()])
  if (rows[0]!.count > 0) log.warn({ count: rows[0]!.count }, 'clearances, keys or orders that the file of spent nonces knows to be taken back stood again, and were taken back again')
  // they count no more, whether the file can be written or not; the next start tries again
  await noteTakenBack(deps, (await actsTakenBack(pool)).filter(({ id }) => !ids.has(id))).catch((error: unknown) => {
    if (toFault(error).code !== 'nonce.unwritable') throw error
    log.error({ err: error }, 'the file of spent nonces does not know what was taken back')
  })
}

/** Those of these that the database knows to be taken back. */
export async function takenBackOf(query: Queryable, ids: readonly string[]): Promise<Set<string>> {
  const { rows } = await query.query<{ id: string }>('select acts_taken_back($1) as id', [ids])
  return new Set(rows.map(({ id }) => id))
}

async function actsTakenBack(query: Queryable): Promise<TakenBackAct[]> {
  const { rows } = await query.query<TakenBackAct>(`select id, null as document from clearance where revoked_at is not null
    union all select id, null from client_key where revoked_at is not null union all select id, document from standing_order where revoked_at is not null`)
  return rows
}

/** An order is void by the file alone, which knows it by its own nonce; a clearance outlives its draft, and a key has none, so that they get one for this. */
function entryFor({ spent }: Pick<Deps, 'spent'>, { id, document }: TakenBackAct, at: string): SpentNonce | undefined {
  if (document === null) {
    const nonce = createHash('sha256').update(`revoked ${id}`).digest('hex')
    return spent.find(nonce) ? undefined : { nonce, draft: id, item: `revoked/${id}`, act: 'revoked', at }
  }
  const { nonce, origin } = readDocument(document)
  return spent.find(nonce)?.act === 'release' ? { nonce, draft: id, item: origin.item, act: 'revoked', at } : undefined
}
