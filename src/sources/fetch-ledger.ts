import { newId } from '../kernel/ids.ts'
import type { Database } from '../kernel/database/connect.ts'
import type { Logger } from '../kernel/log.ts'
import type { EgressLedger } from '../egress/index.ts'
import type { Fetched } from './fetched.ts'
import type { Params } from './fill.ts'

/** What was asked of the reader, and what came of it. The database says who may ask what, and which label an answer has. */
export interface FetchLedger {
  /** What is to be fetched; once, and nothing when somebody has taken it or it is too long ago. */
  take(id: string): Promise<{ readonly source: string; readonly params: Params } | undefined>
  store(id: string, fetched: Fetched): Promise<void>
  fail(id: string, reason: string, details: { readonly status?: unknown; readonly bytes?: unknown }): Promise<void>
  /** Closes what nobody came for; with `open`, at a start, also what another reader left. Returns how many. */
  recover(open: boolean): Promise<number>
  /** The connections of the command that one fetch runs. */
  connectionsOf(id: string): EgressLedger
}

/** As the role of the reader, who can call these functions and read nothing. */
export function createFetchLedger(database: Database, log: Logger): FetchLedger {
  const call = async <T>(text: string, values: unknown[]): Promise<T> => (await database.pool.query<{ it: T }>(`select ${text} as it`, values)).rows[0]!.it
  return {
    take: async (id) => (await call<{ source: string; params: Params } | null>('source_take($1)', [id])) ?? undefined,
    store: (id, { status, media, body }) => call('source_store($1, $2, $3, $4)', [id, status, media, body]),
    fail: (id, reason, { status, bytes }) => call('source_fail($1, $2, $3, $4)', [id, reason, number(status), number(bytes)]),
    recover: (open) => call('source_recover($1)', [open]),
    connectionsOf: (fetch) => ({
      async opened({ host, port, address }) {
        const id = newId()
        await call('source_connect($1, $2, $3, $4, $5)', [id, fetch, host, port, address])
        return id
      },
      closed: (id, { outcome, up, down }) => call('source_disconnect($1, $2, $3, $4)', [id, outcome, up, down]),
      async refused(asked, reason) {
        const id = newId()
        const shown = asked.replace(/[^\x21-\x7e]+/g, '?').slice(0, 300)
        log.warn({ fetch, asked: shown, reason }, 'a command was refused a connection')
        await call('source_connect($1, $2, $3, null, null)', [id, fetch, shown])
        await call('source_disconnect($1, $2, 0, 0)', [id, `refused: ${reason}`])
      },
    }),
  }
}

function number(value: unknown): number | null {
  return typeof value === 'number' ? value : null
}
