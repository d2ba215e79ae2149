import { batched } from '../kernel/batch.ts'
import type { Database } from '../kernel/database/connect.ts'
import { faultPoint } from '../kernel/fault-point.ts'
import { newId } from '../kernel/ids.ts'
import { gateOf, toRow, type GateName, type Label } from '../labels/index.ts'
import { anewText, closedEvent, closeText, openText } from './call-statements.ts'
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

type Opened = { readonly outcome: 'opened'; readonly id: string } | { readonly outcome: 'moved' }

interface Opening extends CallIntent {
  readonly id: string
}

interface Closing extends CallResult {
  readonly id: string
}

/** The ledger of one gate: a row is there before a byte leaves for an upstream, and is closed once, after. A gate that dies between leaves it to the sweep, at what was reserved. */
export interface CallLedger {
  /** `moved`: the session is gone or its label is another one now; plan again. */
  open(intent: CallIntent): Promise<Opened>
  /**
   * False: somebody closed it before. Nobody's answer has to wait for it: it is written in a few milliseconds, with all that end until then.
   * A row that a crash of PostgreSQL has forgotten is written anew from its intent.
   */
  close(id: string, result: CallResult, intent?: CallIntent): Promise<boolean>
  /** Resolves once all that was to be closed is. */
  settled(): Promise<void>
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
  /** What is to be opened while the database is busy with the last of it is opened together. */
  const writeOpenings = batched(async (openings: readonly Opening[]): Promise<boolean[]> => {
    const sessions = [...new Set(openings.map(({ session }) => session))]
    const { rows } = await pool.query<{ id: string }>({
      name: 'call-open',
      text: openText,
      values: [
        gate,
        retentionMs(),
        JSON.stringify(sessions.map(({ keyHash, said }, place) => ({ place, key: keyHash.toString('hex'), said }))),
        JSON.stringify(openings.map(({ id, session, task, candidate, label, inputTokens, outputTokens, reserved, block }) => ({
          place: sessions.indexOf(session), id, task, upstream: candidate.upstream, model: candidate.model, zone: candidate.zone, input_tokens: inputTokens, output_tokens: outputTokens ?? null, cost_eur: reserved?.nanoEur ?? costOf(candidate), cost_usd: reserved?.nanoUsd ?? costOf(candidate), block: block ?? null, batch: session.batch ?? null, ...toRow(label),
        }))),
        openings.some(waitsForDisk) ? 'on' : 'off',
      ],
    })
    return areIn(rows, openings)
  }, mostTogether, 1, setImmediate)

  const writeClosings = batched(async (closings: readonly Closing[]): Promise<boolean[]> => {
    faultPoint('call.close:before')
    const { rows } = await pool.query<{ id: string }>({
      name: 'call-close',
      text: closeText,
      values: [
        closings.map(({ id }) => id),
        JSON.stringify(Object.fromEntries(closings.map(({ id, state, reason, inputTokens, outputTokens, cachedTokens, cacheWriteTokens, reasoningTokens, cost }) => [id, {
          state, reason, input_tokens: inputTokens, output_tokens: outputTokens, cached_tokens: cachedTokens, cache_write_tokens: cacheWriteTokens, reasoning_tokens: reasoningTokens,
          cost_eur: cost?.nanoEur, cost_usd: cost?.nanoUsd,
        }]))),
      ],
    })
    return areIn(rows, closings)
  }, mostTogether, 1, (begin) => setTimeout(begin, closingWait))

  async function writeAnew(id: string, { session, label, task, candidate, block }: CallIntent, { state, reason, inputTokens, outputTokens, cost }: CallResult): Promise<boolean> {
    const { rowCount } = await pool.query(anewText, [
      id, session.run === null ? null : session.id, session.run, session.run === null ? session.id : null, gate, task, candidate.upstream, candidate.model, candidate.zone,
      state, reason ?? null, inputTokens, outputTokens, cost?.nanoEur ?? costOf(candidate), cost?.nanoUsd ?? costOf(candidate), block ?? null, label.level, label.integrity, label.lanes, retentionMs(),
    ])
    return rowCount === 1
  }

  const closing = new Set<Promise<boolean>>()

  return {
    async open(intent) {
      faultPoint('call.open:before')
      // the database has the last word: what its row security refuses was planned with lanes that are no longer so
      const id = newId()
      const isOpen = await writeOpenings({ ...intent, id }).catch((error: { code?: string }) => {
        if (error.code === insufficientPrivilege) return false
        throw error
      })
      faultPoint('call.open:after')
      return isOpen ? { outcome: 'opened', id } : { outcome: 'moved' }
    },

    close(id, result, intent) {
      const closed = (async () => {
        const isClosed = (await writeClosings({ ...result, id })) || (intent !== undefined && (await writeAnew(id, intent, result)))
        faultPoint('call.close:after')
        return isClosed
      })()
      closing.add(closed)
      const forget = () => void closing.delete(closed)
      closed.then(forget, forget)
      return closed
    },

    async settled() {
      await Promise.allSettled(closing)
    },

    async refuse({ session, label, task, model, reason, set }) {
      const id = newId()
      await pool.query({
        name: 'call-refuse',
        text: refuseText,
        values: [id, session.run === null ? null : session.id, session.run, gate, task, speakable(model), `${reason}; set: ${set.join(', ') || 'none'}`,
          label.level, label.integrity, label.lanes, retentionMs(), JSON.stringify(set), session.run === null ? session.id : null, session.batch ?? null],
      })
      return id
    },

    async sweep(startedBefore) {
      const { rowCount } = await pool.query(sweepText, [startedBefore])
      return rowCount ?? 0
    },
  }
}

/**
 * Whether a commit waits for the disk: with the row of a call that costs money which no block holds. A row that a crash of PostgreSQL itself may forget
 * within the next moment is enough for a call that costs nothing; and for one that is paid from a block, all of which counts as spent after such a crash. A close
 * that is forgotten leaves an open row, which is closed at what was reserved.
 */
function waitsForDisk({ candidate, reserved, block }: CallIntent): boolean {
  return block === undefined && (reserved?.nanoEur ?? costOf(candidate)) !== 0
}

const mostTogether = 128
/** Milliseconds that the close of a call waits for others to be written with. */
const closingWait = 5

function areIn(rows: readonly { id: string }[], asked: readonly { id: string }[]): boolean[] {
  const written = new Set(rows.map(({ id }) => id))
  return asked.map(({ id }) => written.has(id))
}

/** EUR; null while there is no price list: a cloud takes something, and a machine of one's own takes nothing. What was handed on is paid for by the row of gate cloud. */
function costOf({ zone, handedOn }: Candidate): number | null {
  return handedOn || gateOf(zone) === 'local' ? 0 : null
}

const insufficientPrivilege = '42501'

/** A model's name comes from outside; only what looks like one is written down. */
function speakable(model: string): string | null {
  return /^[\w.:/@-]{1,120}$/.test(model) ? model : null
}

const sweepText = `
  with closed as (
    update model_call set state = 'abandoned', reason = 'gate_died', closed_at = clock_timestamp()
    where state = 'open' and opened_at < $1 returning *
  ) select ${closedEvent} from closed`

const refuseText = `
  with refused as (
    insert into model_call (id, session_id, run_id, key_id, gate, task, model, state, reason, closed_at, cost_eur, label_level, label_integrity, label_lanes, retain_until, batch_id)
    values ($1, $2, $3, $13, $4, $5, $6, 'refused', $7, clock_timestamp(), 0, $8, $9, $10, clock_timestamp() + $11 * interval '1 ms', $14) returning *
  ) select audit_append('call.refused', id::text, jsonb_build_object('run', run_id, 'key', key_id, 'gate', gate, 'task', task, 'set', $12::jsonb, 'reason', reason), label_level)
  from refused`
