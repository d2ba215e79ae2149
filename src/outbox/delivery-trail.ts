import type { Receipt, Trail } from './connectors/connector.ts'
import type { Draft, DraftState } from './draft.ts'
import type { Queryable } from './draft-store.ts'
import type { SpentNonces } from './spent-nonces.ts'

interface Other {
  readonly id: string
  readonly nonce: string
  readonly state: DraftState
  /** The state of its delivery; null where there was none, or the database is older. */
  readonly delivery: string | null
  readonly receipt: Receipt | null
}

/** What is known of a delivery whose answer is not. The file of spent nonces is believed before the rows, which may be older. */
export async function trailOf(query: Queryable, spent: SpentNonces, { id, nonce, kind, account, frozenAt }: Draft): Promise<Trail> {
  const own = await query.query<{ started_at: Date; may_have_left: boolean }>('select started_at, may_have_left from delivery where draft_id = $1', [id])
  const [delivery] = own.rows
  const entry = spent.find(nonce)
  // where an earlier try may have arrived, what stands in the file is a later one
  const since = entry?.act === 'release' && delivery?.may_have_left !== true ? new Date(entry.at) : (delivery?.started_at ?? frozenAt)
  const { rows } = await query.query<Other>(
    `select d.id, d.nonce, d.state, y.state as delivery, y.receipt from draft d left join delivery y on y.draft_id = d.id
     where d.kind = $1 and d.account = $2 and d.id <> $3 and (y.started_at >= $4::timestamptz - interval '1 day' or y.id is null and d.state not in ('denied', 'expired'))`,
    [kind, account, id, since],
  )
  const left = rows.filter((other) => mayHaveLeft(other, spent))
  const unanswered = left.filter(({ receipt }) => receipt === null).map((other) => other.id)
  const open = await query.query<{ wire: Buffer }>('select wire from draft where id = any ($1)', [unanswered])
  return { since, receipts: left.flatMap(({ receipt }) => (receipt === null ? [] : [receipt])), open: open.rows.map(({ wire }) => wire) }
}

/** Of what failed it is certain that it did not, or the operator looked. */
function mayHaveLeft({ state, nonce, delivery }: Other, spent: SpentNonces): boolean {
  const act = spent.find(nonce)?.act
  return state !== 'failed' && (delivery === 'delivered' || delivery === 'unknown' || act === 'release' || act === 'lost')
}
