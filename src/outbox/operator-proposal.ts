import { Fault } from '../kernel/fault.ts'
import { newId } from '../kernel/ids.ts'
import type { OutboxDeps } from './change.ts'
import { freezeProposal } from './freeze-proposal.ts'

/** Makes a draft of an act of the operator himself, which no run had a part in. @throws Fault `draft.refused`, with why it could not be frozen */
export async function proposeByOperator(deps: OutboxDeps, kind: string, connector: string, payload: unknown): Promise<{ draft: string; risk: number }> {
  const id = newId()
  await deps.database.pool.query('select operator_propose($1, $2, $3, $4)', [id, kind, connector, JSON.stringify(payload)])
  await freezeProposal(deps, id)
  const { rows } = await deps.database.pool.query<{ draft: string | null; risk: number; refusal: string | null }>(
    'select d.id as draft, d.risk, p.refusal from proposal p left join draft d on d.proposal_id = p.id where p.id = $1', [id],
  )
  const { draft, risk, refusal } = rows[0]!
  if (draft === null) throw new Fault('refused', 'draft.refused', `it could not be made a draft: ${refusal ?? 'try again'}`)
  return { draft, risk }
}
