import type { Database } from '../../kernel/database/connect.ts'
import { fromRow, type Label, type LabelRow } from '../../labels/index.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { ToolRun } from '../tool-context.ts'
import { alertOf, readAlerts } from './read-alerts.ts'
import type { CallRow, Ledger, OccurrenceRow } from './ledger.ts'

export interface LedgerDeps {
  readonly database: Database
  readonly run: Pick<ToolRun, 'readsUpTo'>
  readonly clock: Clock
  raise(label: Label): void
}

const label = ['label_level', 'label_integrity', 'label_lanes'] as const
/** A slot that is still due after so long is late, whatever the reason. */
const overdueMs = 3_600_000

/** The ledger with the worker's own role: rows above the run's level are left out, those that are returned raise it. */
export function createLedger({ database, run, clock, raise }: LedgerDeps): Ledger {
  const db = database.kysely

  function seen<Row extends LabelRow>(rows: readonly Row[]): readonly Row[] {
    for (const row of rows) raise(fromRow(row))
    return rows
  }

  function occurrences() {
    return db.selectFrom('occurrence').select(['job', 'slot', 'origin', 'state', 'reason', 'closed_at', ...label]).where('label_level', '<=', run.readsUpTo)
  }

  return {
    async runs({ since, limit }) {
      const rows = await db.selectFrom('run')
        .select(['id', 'job', 'lane', 'state', 'error', 'made_without_model', 'opened_at', 'closed_at', ...label])
        .where('label_level', '<=', run.readsUpTo).where('opened_at', '>=', since)
        .orderBy('opened_at', 'desc').orderBy('id', 'desc').limit(limit).execute()
      return seen(rows).map((row) => ({
        id: row.id, job: row.job, lane: row.lane, state: row.state, error: row.error?.code ?? null,
        madeWithoutModel: row.made_without_model, openedAt: row.opened_at, closedAt: row.closed_at,
      }))
    },

    async occurrences({ since, limit }) {
      const rows = await occurrences().where('slot', '>=', since).orderBy('slot', 'desc').orderBy('job').limit(limit).execute()
      return seen(rows).map(occurrenceOf)
    },

    async alerts(query) {
      return seen(await readAlerts(database, run.readsUpTo, query)).map(alertOf)
    },

    async late({ since, limit }) {
      const overdue = new Date(clock.now().getTime() - overdueMs)
      const rows = await occurrences().where('slot', '>=', since)
        .where((or) => or.or([or('state', 'in', ['missed', 'skipped', 'failed']), or.and([or('state', '=', 'due'), or('slot', '<', overdue)])]))
        .orderBy('slot', 'desc').orderBy('job').limit(limit).execute()
      return seen(rows).map(occurrenceOf)
    },

    async drafts({ since, limit }) {
      const rows = await db.selectFrom('proposal').innerJoin('run', 'run.id', 'proposal.run_id')
        .select(['proposal.id', 'run.id as run_id', 'run.job', 'proposal.kind', 'proposal.connector', 'proposal.proposed_at',
          'proposal.label_level', 'proposal.label_integrity', 'proposal.label_lanes'])
        .where('proposal.label_level', '<=', run.readsUpTo).where('proposal.proposed_at', '>=', since)
        .orderBy('proposal.proposed_at', 'desc').orderBy('proposal.id', 'desc').limit(limit).execute()
      const states = await database.pool.query<{ id: string; state: string }>('select id, state from proposal_states($1)', [rows.map((row) => row.id)])
      const stateOf = new Map(states.rows.map((row) => [row.id, row.state]))
      return seen(rows).map((row) => ({
        proposal: row.id, run: row.run_id, job: row.job, kind: row.kind, connector: row.connector,
        state: stateOf.get(row.id) ?? 'proposed', proposedAt: row.proposed_at,
      }))
    },

    async calls({ since, limit }) {
      const rows = await db.selectFrom('model_call')
        .select(['task', 'gate', 'upstream', 'model', 'state', 'input_tokens', 'output_tokens', 'cost_eur', ...label])
        .where('label_level', '<=', run.readsUpTo).where('opened_at', '>=', since)
        .orderBy('opened_at', 'desc').limit(mostCalls).execute()
      return grouped(seen(rows)).slice(0, limit)
    },
  }
}

/** Single calls that are added up, at most. */
const mostCalls = 50_000

interface SingleCall {
  readonly task: string
  readonly gate: string
  readonly upstream: string | null
  readonly model: string | null
  readonly state: string
  readonly input_tokens: number | null
  readonly output_tokens: number | null
  readonly cost_eur: number | null
}

function grouped(calls: readonly SingleCall[]): CallRow[] {
  const groups = new Map<string, CallRow>()
  for (const call of calls) {
    const { task, gate, upstream, model, state } = call
    const key = JSON.stringify([task, gate, upstream, model, state])
    const sum = groups.get(key)
    groups.set(key, {
      task, gate, upstream, model, state,
      calls: (sum?.calls ?? 0) + 1,
      inputTokens: (sum?.inputTokens ?? 0) + (call.input_tokens ?? 0),
      outputTokens: (sum?.outputTokens ?? 0) + (call.output_tokens ?? 0),
      costEur: added(sum === undefined ? 0 : sum.costEur, call.cost_eur),
    })
  }
  return [...groups.values()].sort((a, b) => b.calls - a.calls)
}

/** EUR; with an unknown price the sum is unknown. */
function added(sum: number | null, cost: number | null): number | null {
  return sum === null || cost === null ? null : Math.round((sum + cost) * 1e6) / 1e6
}

function occurrenceOf(row: { job: string; slot: Date; origin: string; state: string; reason: string | null; closed_at: Date | null }): OccurrenceRow {
  return { job: row.job, slot: row.slot, origin: row.origin, state: row.state, reason: row.reason, closedAt: row.closed_at }
}
