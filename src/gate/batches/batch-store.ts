import type { Database } from '../../kernel/database/connect.ts'
import { Fault } from '../../kernel/fault.ts'
import { newId } from '../../kernel/ids.ts'
import type { GateName, Label } from '../../labels/index.ts'
import { refusedByLabel } from './file-store.ts'

export const endpoints = ['/v1/chat/completions', '/v1/responses', '/v1/embeddings', '/v1/messages'] as const
export type Endpoint = (typeof endpoints)[number]

/** Why a batch failed. Never what a line said. */
export interface BatchError {
  readonly code: string
  readonly message: string
  readonly line: number | null
  readonly param: string | null
}

export interface BatchRow {
  readonly id: string
  readonly inputFile: string
  readonly endpoint: Endpoint
  readonly metadata: Readonly<Record<string, string>> | null
  readonly state: 'validating' | 'in_progress' | 'finalizing' | 'cancelling' | 'completed' | 'failed' | 'expired' | 'cancelled'
  readonly errors: readonly BatchError[] | null
  readonly total: number
  readonly answered: number
  readonly failed: number
  readonly outputFile: string | null
  readonly errorFile: string | null
  readonly openedAt: Date
  readonly windowEndsAt: Date
  readonly beganAt: Date | null
  readonly finalizingAt: Date | null
  readonly cancellingAt: Date | null
  readonly closedAt: Date | null
}

export interface NewBatch extends Pick<BatchRow, 'inputFile' | 'endpoint' | 'metadata' | 'openedAt' | 'windowEndsAt'> {
  readonly key: string
  readonly keyHash: Buffer
  readonly task: string | undefined
  /** Its label is at least this, and that of the file. */
  readonly label: Label
}

const columns = `id, input_file_id as "inputFile", endpoint, metadata, state, errors, total, answered, failed, output_file_id as "outputFile", error_file_id as "errorFile",
  opened_at as "openedAt", window_ends_at as "windowEndsAt", began_at as "beganAt", finalizing_at as "finalizingAt", cancelling_at as "cancellingAt", closed_at as "closedAt"`
const mostOpen = 20

/** The batches of one gate, as their keys see them. */
export function createBatchStore({ database: { pool, transaction }, gate }: { database: Pick<Database, 'pool' | 'transaction'>; gate: GateName }) {
  return {
    /** @throws Fault `files.missing`, `batch.too_many`, `label_refused` */
    async open({ key, keyHash, inputFile, endpoint, task, metadata, label, openedAt, windowEndsAt }: NewBatch): Promise<BatchRow> {
      return transaction(async (client) => {
        // held, so that it is not removed before the batch is there
        const { rows: files } = await client.query(`select 1 from batch_file where id = $1 and key_id = $2 and holds = 'input' and state = 'whole' for share`, [inputFile, key])
        if (files.length === 0) throw new Fault('missing', 'files.missing', 'this key has no such file to make a batch of', { param: 'input_file_id' })
        const { rows: open } = await client.query<{ count: number }>('select count(*)::integer as count from batch where key_id = $1 and closed_at is null', [key])
        if (open[0]!.count >= mostOpen) throw new Fault('refused', 'batch.too_many', `this key has ${mostOpen} batches that have not ended; wait for one, or cancel one`)
        const { rows } = await client.query<BatchRow>(openText, [newId(), key, keyHash, gate, inputFile, endpoint, task ?? null, metadata && JSON.stringify(metadata), openedAt, windowEndsAt, label.level, label.lanes])
        await client.query(`select audit_append('batch.opened', id::text, jsonb_build_object('key', key_id, 'gate', gate, 'endpoint', endpoint, 'task', task), label_level) from batch where id = $1`, [rows[0]!.id])
        return rows[0]!
      }).catch(refusedByLabel)
    },

    async find(key: string, id: string): Promise<BatchRow | undefined> {
      const { rows } = await pool.query<BatchRow>(`select ${columns} from batch where id = $1 and key_id = $2`, [id, key])
      return rows[0]
    },

    /** The newest first, behind `after`. */
    async list(key: string, { after, limit }: { after: string | null; limit: number }): Promise<BatchRow[]> {
      const { rows } = await pool.query<BatchRow>(`
        select ${columns} from batch where key_id = $1 and ($2::uuid is null or (opened_at, id) < (select opened_at, id from batch where id = $2 and key_id = $1))
        order by opened_at desc, id desc limit $3`, [key, after, limit])
      return rows
    },

    /** No line of it is begun any more. Nothing: it has ended. */
    async cancel(key: string, id: string, now: Date): Promise<BatchRow | undefined> {
      const { rows } = await pool.query<BatchRow>(`
        update batch set state = 'cancelling', cancelling_at = coalesce(cancelling_at, $3)
        where id = $1 and key_id = $2 and state in ('validating', 'in_progress', 'cancelling') returning ${columns}`, [id, key, now])
      return rows[0]
    },
  }
}
export type BatchStore = ReturnType<typeof createBatchStore>

const openText = `
  insert into batch (id, key_id, key_hash, gate, input_file_id, endpoint, task, metadata, opened_at, window_ends_at, label_level, label_integrity, label_lanes)
  select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, greatest($11::smallint, f.label_level), f.label_integrity, lanes_join(f.label_lanes, $12) from batch_file f where f.id = $5
  returning ${columns}`
