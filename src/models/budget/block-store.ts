import type { Database } from '../../kernel/database/connect.ts'
import type { Ceiling } from './ceiling.ts'

/** Amounts in billionths of a euro, here and wherever blocks are spoken of. */
export type Reservation =
  /** Usable for `validMs`: until the first of its periods ends. */
  | { readonly outcome: 'reserved'; readonly amount: number; readonly validMs: number }
  | { readonly outcome: 'exceeded'; readonly ceiling: string; readonly limit: number; readonly counted: number; readonly room: number; readonly startsAt: string; readonly resetsAt: string }

/** Where blocks are durable: all of a block counts as spent from the moment it is reserved until it is given back. */
export interface BlockStore {
  /** Under all ceilings or none: `needed` at least, `wanted` if there is room. */
  reserve(id: string, ceilings: readonly Ceiling[], needed: number, wanted: number): Promise<Reservation>
  /** Gives back all that was not spent but `keep`; without `keep` the block is over once no call of it is open. */
  giveBack(id: string, keep?: number): Promise<void>
  /** Blocks of a gate that died are given back; its open calls must have been closed before. Returns how many. */
  recover(): Promise<number>
  /** Looks whether what was settled has passed a mark of 50, 80 or 100 %. */
  look(id: string): Promise<void>
  /** There was no room under this ceiling. */
  reached(ceiling: string, startsAt: string): Promise<void>
}

/** Blocks in PostgreSQL, by definer functions that know the gate from its role. `now` is for tests; the database has its own clock. */
export function createBlockStore({ pool }: Pick<Database, 'pool'>, timezone: () => string, now: () => Date | null = () => null): BlockStore {
  return {
    async reserve(id, ceilings, needed, wanted) {
      const { rows } = await pool.query<{ answer: Answer }>({
        name: 'budget-reserve',
        text: 'select budget_reserve($1, $2, $3, $4::numeric / 1e9, $5::numeric / 1e9, $6) as answer',
        values: [id, JSON.stringify(ceilings.map(({ name, per, limit }) => ({ ceiling: name, per, limit }))), timezone(), needed, wanted, now()],
      })
      const answer = rows[0]!.answer
      return answer.outcome === 'reserved'
        ? { outcome: 'reserved', amount: answer.amount, validMs: answer.valid_ms }
        : { outcome: 'exceeded', ceiling: answer.ceiling, limit: answer.limit, counted: answer.counted, room: Math.floor(answer.room), startsAt: answer.starts_at, resetsAt: answer.resets_at }
    },
    async giveBack(id, keep) {
      await pool.query('select budget_give_back($1, $2::numeric / 1e9)', [id, keep ?? null])
    },
    async recover() {
      const { rows } = await pool.query<{ blocks: number }>('select budget_recover() as blocks')
      return rows[0]!.blocks
    },
    async look(id) {
      await pool.query('select budget_look($1)', [id])
    },
    async reached(ceiling, startsAt) {
      await pool.query('select budget_mark($1, $2, true)', [ceiling, startsAt])
    },
  }
}

type Answer =
  | { readonly outcome: 'reserved'; readonly amount: number; readonly valid_ms: number }
  | { readonly outcome: 'exceeded'; readonly ceiling: string; readonly limit: number; readonly counted: number; readonly room: number; readonly starts_at: string; readonly resets_at: string }
