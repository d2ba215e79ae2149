import type { Database } from '../kernel/database/connect.ts'
import { faultPoint } from '../kernel/fault-point.ts'
import { newId } from '../kernel/ids.ts'
import { gateOf, toRow, type GateName, type Label, type Zone } from '../labels/index.ts'
import type { Cost } from './budget/money.ts'
import type { Candidate } from './plan.ts'
import type { Usage } from './prices/price.ts'
import type { Session } from './session.ts'

/** What is known of a call before it is made. */
export interface CallIntent {
  readonly session: Session
  /** The session's label, or a higher one that the caller named. */
  readonly label: Label
  readonly task: string
  readonly candidate: Candidate
  /** Reserved: what the call costs at most if nobody lives to count. */
  readonly inputTokens: number
  readonly outputTokens: number | undefined
  /** The most that it can cost; undefined where nobody knows. */
  readonly reserved?: Cost | undefined
  /** What it is paid from. */
  readonly block?: string | undefined
}

export interface CallResult extends Usage {
  readonly state: 'succeeded' | 'failed' | 'abandoned'
  /** A code, never content. */
  readonly reason?: string | undefined
  readonly cost?: Cost | undefined
}

/** The ledger of one gate: a row is there before a byte leaves for an upstream, and is closed once, after. */
export interface CallLedger {
  /** `moved`: the session is gone or its label is another one now; plan again. */
  open(intent: CallIntent): Promise<{ readonly outcome: 'opened'; readonly id: string } | { readonly outcome: 'moved' }>
  /** False: somebody closed it before. */
  close(id: string, result: CallResult): Promise<boolean>
  refuse(refusal: { session: Session; label: Label; task: string; model: string; reason: string; set: readonly string[] }): Promise<string>
  /** Closes what a process of this gate left open that died before `startedBefore`. Returns how many. */
  sweep(startedBefore: Date): Promise<number>
}

export interface LedgerOptions {
  readonly database: Pick<Database, 'pool'>
  readonly gate: GateName
  /** Milliseconds that rows are kept. */
  readonly retentionMs: () => number
}

export function createCallLedger({ database: { pool }, gate, retentionMs }: LedgerOptions): CallLedger {
  return {
    async open({ session, label, task, candidate, inputTokens, outputTokens, reserved, block }) {
      const id = newId()
      faultPoint('call.open:before')
      const opening = pool.query({
        name: 'call-open',
        text: openText,
        values: [id, gate, task, candidate.upstream, candidate.model, candidate.zone, inputTokens, outputTokens ?? null,
          label.level, label.integrity, label.lanes, session.keyHash, JSON.stringify(toRow(session.label)), retentionMs(),
          reserved?.nanoEur ?? costOf(candidate.zone), reserved?.nanoUsd ?? costOf(candidate.zone), block ?? null],
      })
      // the database has the last word: what its row security refuses was planned with lanes that are no longer so
      const { rowCount } = await opening.catch((error: { code?: string }) => {
        if (error.code === insufficientPrivilege) return { rowCount: 0 }
        throw error
      })
      faultPoint('call.open:after')
      return rowCount === 1 ? { outcome: 'opened', id } : { outcome: 'moved' }
    },

    async close(id, { state, reason, inputTokens, outputTokens, cachedTokens, cacheWriteTokens, reasoningTokens, cost }) {
      faultPoint('call.close:before')
      const { rowCount } = await pool.query({
        name: 'call-close',
        text: closeText,
        values: [id, state, reason ?? null, inputTokens, outputTokens, cachedTokens ?? null, cacheWriteTokens ?? null, reasoningTokens ?? null, cost?.nanoEur ?? null, cost?.nanoUsd ?? null],
      })
      faultPoint('call.close:after')
      return rowCount === 1
    },

    async refuse({ session, label, task, model, reason, set }) {
      const id = newId()
      await pool.query({
        name: 'call-refuse',
        text: refuseText,
        values: [id, session.id, session.run, gate, task, speakable(model), `${reason}; set: ${set.join(', ') || 'none'}`,
          label.level, label.integrity, label.lanes, retentionMs(), JSON.stringify(set)],
      })
      return id
    },

    async sweep(startedBefore) {
      const { rowCount } = await pool.query(sweepText, [startedBefore])
      return rowCount ?? 0
    },
  }
}

/** Without a price: a cloud takes something that nobody knows, and a machine of one's own takes nothing. */
function costOf(zone: Zone): number | null {
  return gateOf(zone) === 'local' ? 0 : null
}

const insufficientPrivilege = '42501'

/** A model's name comes from outside; only what looks like one is written down. */
function speakable(model: string): string | null {
  return /^[\w.:/@-]{1,120}$/.test(model) ? model : null
}

// The label that the plan was made for must still be the run's in the very statement that writes the row.
const openText = `
  insert into model_call (id, session_id, run_id, gate, task, upstream, model, zone, input_tokens, output_tokens,
    label_level, label_integrity, label_lanes, retain_until, cost_eur, cost_usd, block_id)
  select $1, (found ->> 'id')::uuid, (found ->> 'run')::uuid, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, clock_timestamp() + $14 * interval '1 ms', $15::numeric / 1e9, $16::numeric / 1e9, $17
  from session_find($12) as found
  where (found -> 'label' ->> 'level')::smallint = ($13::jsonb ->> 'label_level')::smallint
    and found -> 'label' ->> 'integrity' = $13::jsonb ->> 'label_integrity'
    and found -> 'label' -> 'lanes' @> ($13::jsonb -> 'label_lanes') and found -> 'label' -> 'lanes' <@ ($13::jsonb -> 'label_lanes')`

const closedEvent = `
  audit_append('call.closed', id::text, jsonb_build_object('run', run_id, 'gate', gate, 'task', task, 'upstream', upstream, 'model', model,
    'zone', zone, 'state', state, 'reason', reason, 'input_tokens', input_tokens, 'output_tokens', output_tokens, 'cost_eur', cost_eur), label_level)`

// what took nothing in and gave nothing out was not paid for
const closeText = `
  with closed as (
    update model_call set state = $2, reason = $3, input_tokens = $4, output_tokens = $5, closed_at = clock_timestamp(),
      cached_tokens = $6, cache_write_tokens = $7, reasoning_tokens = $8,
      cost_eur = case when $4::integer + $5::integer = 0 then 0 else coalesce($9::numeric / 1e9, cost_eur) end,
      cost_usd = case when $4::integer + $5::integer = 0 then 0 else coalesce($10::numeric / 1e9, cost_usd) end
    where id = $1 and state = 'open' returning *
  ) select ${closedEvent} from closed`

const sweepText = `
  with closed as (
    update model_call set state = 'abandoned', reason = 'gate_died', closed_at = clock_timestamp()
    where state = 'open' and opened_at < $1 returning *
  ) select ${closedEvent} from closed`

const refuseText = `
  with refused as (
    insert into model_call (id, session_id, run_id, gate, task, model, state, reason, closed_at, cost_eur, label_level, label_integrity, label_lanes, retain_until)
    values ($1, $2, $3, $4, $5, $6, 'refused', $7, clock_timestamp(), 0, $8, $9, $10, clock_timestamp() + $11 * interval '1 ms') returning *
  ) select audit_append('call.refused', id::text, jsonb_build_object('run', run_id, 'gate', gate, 'task', task, 'set', $12::jsonb, 'reason', reason), label_level)
  from refused`
