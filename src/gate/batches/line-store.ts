import type { Database } from '../../kernel/database/connect.ts'
import type { GateName, Level } from '../../labels/index.ts'
import type { BatchError, BatchRow, Endpoint } from './batch-store.ts'
import type { CheckedLine } from './check-line.ts'

/** A batch that has not ended, and what is to be done about it. */
export interface OpenBatch extends Pick<BatchRow, 'id' | 'state' | 'inputFile' | 'endpoint'> {
  readonly keyEnded: boolean
  /** The time in which it was to be done is over. */
  readonly isOver: boolean
  /** No line waits to be asked. */
  readonly isDone: boolean
  readonly isAsking: boolean
}

/** A line whose row says that it is being asked. */
export interface TakenLine {
  readonly batch: string
  readonly number: number
  readonly customId: string
  readonly model: string
  readonly endpoint: Endpoint
  readonly task: string | null
  readonly keyHash: Buffer
  readonly level: Level
  readonly body: Buffer | null
}

export interface Pause {
  readonly batch: string
  readonly model: string
}

/**
 * What a gate does with the batches of its keys. Its statements have no names, so they are planned anew each time: a plan that is kept was made while
 * there was no line, and would read all of them for each one that is taken.
 */
export function createLineStore({ database: { pool }, gate }: { database: Pick<Database, 'pool'>; gate: GateName }) {
  return {
    async open(now: Date): Promise<OpenBatch[]> {
      const { rows } = await pool.query<OpenBatch>({ text: openText, values: [gate, now] })
      return rows
    },

    /** Again is the same: a check that was broken off begins anew. */
    async add(batch: string, lines: readonly (CheckedLine & { readonly number: number })[]): Promise<void> {
      await pool.query({ text: addText, values: [batch, lines.map(({ number }) => number), lines.map(({ customId }) => customId), lines.map(({ model }) => model)] })
    },

    /** All lines are there, and are asked from now on. */
    async begin(batch: string, { total, models }: { total: number; models: readonly string[] }, now: Date): Promise<void> {
      await pool.query(`update batch set state = 'in_progress', total = $2, models = $3, began_at = $4 where id = $1 and state = 'validating'`, [batch, total, models, now])
    },

    /** Nothing of it is asked any more, and this is why. */
    async stop(batch: string, errors: readonly BatchError[], now: Date): Promise<void> {
      await pool.query(`update batch set state = 'cancelling', errors = $2, cancelling_at = coalesce(cancelling_at, $3) where id = $1 and state in ('validating', 'in_progress', 'cancelling')`, [batch, JSON.stringify(errors), now])
    },

    /** Takes the next line that may be asked; batches take turns. */
    async take(now: Date, paused: readonly Pause[]): Promise<TakenLine | undefined> {
      const { rows } = await pool.query<TakenLine>({ text: takeText, values: [gate, now, paused.map(({ batch }) => batch), paused.map(({ model }) => model)] })
      return rows[0]
    },

    /** True: perhaps the batch has ended with it. */
    async end({ batch, number }: Pick<TakenLine, 'batch' | 'number'>, state: 'answered' | 'failed', answer: string): Promise<boolean> {
      const { rows } = await pool.query<{ isLast: boolean }>({ text: endText, values: [batch, number, state, answer] })
      return rows[0]?.isLast ?? false
    },

    async putBack({ batch, number }: Pick<TakenLine, 'batch' | 'number'>): Promise<void> {
      await pool.query({ text: `update batch_line set state = 'waiting' where batch_id = $1 and number = $2 and state = 'asking'`, values: [batch, number] })
    },

    /** At the start: what a gate that died was asking is asked again. */
    async recover(): Promise<number> {
      const { rowCount } = await pool.query(`update batch_line set state = 'waiting' where gate = $1 and state = 'asking'`, [gate])
      return rowCount ?? 0
    },
  }
}
export type LineStore = ReturnType<typeof createLineStore>

const openText = `
  select id, state, input_file_id as "inputFile", endpoint, session_find(key_hash) is null and key_waits(key_hash) is null as "keyEnded", window_ends_at <= $2 as "isOver", answered + failed >= total as "isDone",
    exists (select 1 from batch_line where batch_id = batch.id and gate = $1 and state = 'asking') as "isAsking"
  from batch where gate = $1 and closed_at is null order by opened_at, id`

const addText = `
  insert into batch_line (batch_id, number, gate, custom_id, model, label_level, label_integrity, label_lanes)
  select b.id, l.number, b.gate, l.custom_id, l.model, b.label_level, b.label_integrity, b.label_lanes
  from batch b cross join unnest($2::integer[], $3::text[], $4::text[]) as l(number, custom_id, model) where b.id = $1 and b.state = 'validating'
  on conflict do nothing`

const takeText = `
  with next as (
    select line.batch_id, line.number from batch b cross join lateral (
      select first.batch_id, first.number from unnest(b.models) as m(model) cross join lateral (
        select batch_id, number from batch_line where batch_id = b.id and model = m.model and state = 'waiting' order by number limit 1
      ) as first
      where not exists (select 1 from unnest($3::uuid[], $4::text[]) as p(batch, model) where p.batch = b.id and p.model = m.model)
      order by first.number limit 1
    ) as line
    where b.gate = $1 and b.closed_at is null and b.state = 'in_progress' and b.window_ends_at > $2 order by b.asked_at nulls first, b.id limit 1
  ), taken as (
    update batch_line set state = 'asking' from next
    where batch_line.batch_id = next.batch_id and batch_line.number = next.number and batch_line.state = 'waiting' returning batch_line.*
  ), turn as (
    update batch set asked_at = clock_timestamp() from next where batch.id = next.batch_id
  )
  select t.batch_id as batch, t.number, t.custom_id as "customId", t.model, b.endpoint, b.task, b.key_hash as "keyHash", t.label_level as level, f.body
  from taken t join batch b on b.id = t.batch_id left join batch_file_line f on f.file_id = b.input_file_id and f.number = t.number`

const endText = `
  with ended as (
    update batch_line set state = $3, answer = $4 where batch_id = $1 and number = $2 and state = 'asking' returning state
  )
  update batch set answered = answered + (select count(*) from ended where state = 'answered'), failed = failed + (select count(*) from ended where state = 'failed')
  where id = $1 and exists (select 1 from ended) returning answered + failed >= total or state <> 'in_progress' as "isLast"`
