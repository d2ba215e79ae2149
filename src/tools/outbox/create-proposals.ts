import type { Database } from '../../kernel/database/connect.ts'
import { Fault } from '../../kernel/fault.ts'
import { newId } from '../../kernel/ids.ts'
import { covers, describeLabel, fromRow, type Label } from '../../labels/index.ts'
import { fenced } from '../fenced.ts'
import { storable } from '../storable.ts'
import type { ToolRun } from '../tool-context.ts'
import type { Proposals, ProposalState } from './proposals.ts'

export interface ProposalsDeps {
  readonly database: Database
  readonly run: Pick<ToolRun, 'id' | 'fence' | 'label' | 'readsUpTo'>
  readonly step: string
  /** The names of castellan.yaml. */
  readonly connectors: readonly string[]
  /** The one of them that leads to the operator himself. */
  readonly tell?: string | undefined
  label(): Label
  raise(label: Label): void
}

/** The proposals of one step of a run. */
export function createProposals({ database, run, step, connectors, tell, label, raise }: ProposalsDeps): Proposals {
  async function states(ids: readonly string[]): Promise<Map<string, ProposalState>> {
    const { rows } = await database.pool.query<{ id: string; state: ProposalState }>('select id, state from proposal_states($1)', [ids])
    return new Map(rows.map((row) => [row.id, row.state]))
  }

  return {
    toOperator: tell ?? null,
    states,

    async open({ key, kind, connector, payload }) {
      // an order goes through the releaser's own, which castellan.yaml cannot name
      if (kind !== 'order.stand' && !connectors.includes(connector)) {
        throw new Fault('invalid', 'outbox.connector', `castellan.yaml declares no connector ${JSON.stringify(connector)}; it declares: ${connectors.join(', ') || 'none'}`)
      }
      // a proposal takes its label from the run's row, which does not know yet what this step has read
      if (!covers(run.label, label())) {
        throw new Fault('refused', 'outbox.label', `this step has read ${describeLabel(label())} and the run is still ${describeLabel(run.label)}: read in one step, propose in the next`)
      }
      const { rows } = await fenced(run.id, () => database.pool.query<{ opened: { id: string; fresh: boolean } }>(
        'select proposal_open($1, $2, $3, $4, $5, $6, $7, $8) as opened',
        [newId(), run.id, run.fence, step, key, kind, connector, JSON.stringify(storable(payload))],
      ))
      return { ...rows[0]!.opened, key }
    },

    async list({ since, limit }) {
      // of runs: what the operator does himself is none of theirs
      let query = database.kysely.selectFrom('proposal').where('run_id', 'is not', null)
        .select(['id', 'run_id', 'step_id', 'item_key', 'kind', 'connector', 'proposed_at', 'label_level', 'label_integrity', 'label_lanes'])
        .where('label_level', '<=', run.readsUpTo).orderBy('proposed_at', 'desc').orderBy('id', 'desc').limit(limit)
      if (since !== undefined) query = query.where('proposed_at', '>=', since)
      const rows = await query.execute()
      const stateOf = await states(rows.map((row) => row.id))
      return rows.map((row) => {
        raise(fromRow(row))
        return {
          id: row.id, run: row.run_id!, step: row.step_id, key: row.item_key, kind: row.kind, connector: row.connector,
          state: stateOf.get(row.id) ?? 'proposed', proposedAt: row.proposed_at,
        }
      })
    },
  }
}
