import type { Database } from '../../kernel/database/connect.ts'
import { faultPoint } from '../../kernel/fault-point.ts'
import { newId } from '../../kernel/ids.ts'
import type { BatchRow } from './batch-store.ts'

type Final = Extract<BatchRow['state'], 'completed' | 'failed' | 'expired' | 'cancelled'>

interface Closing {
  /** Its lines were all there. */
  readonly began: boolean
  readonly stopped: boolean
  readonly hasErrors: boolean
  readonly waiting: number
}

/** Why a line was never asked, in OpenAI's words. */
const reasons: Readonly<Record<Exclude<Final, 'completed'>, { code: string; message: string }>> = {
  expired: { code: 'batch_expired', message: 'This line could not be asked before the window of its batch ended.' },
  cancelled: { code: 'batch_cancelled', message: 'This line was not asked before its batch was cancelled.' },
  failed: { code: 'batch_failed', message: 'This line was not asked: its batch has failed.' },
}

/**
 * Ends a batch of which no line is being asked: what still waits is reported as never asked, and the files of answers and errors are there.
 * A gate that dies in between does it again; each line is reported once.
 */
export async function closeBatch({ pool, transaction }: Pick<Database, 'pool' | 'transaction'>, batch: string, now: Date): Promise<Final | undefined> {
  await pool.query(`update batch set state = 'finalizing', finalizing_at = $2 where id = $1 and state = 'in_progress'`, [batch, now])
  faultPoint('batch.close:before')
  const state = await transaction(async (client) => {
    const { rows } = await client.query<Closing>(closingText, [batch])
    if (!rows[0]) return undefined
    const final = finalOf(rows[0])
    if (rows[0].began && final !== 'completed') {
      const { rowCount } = await client.query(leftText, [batch, reasons[final].code, reasons[final].message])
      await client.query('update batch set failed = failed + $2 where id = $1', [batch, rowCount])
    }
    for (const [holds, line, column, id] of [['answers', 'answered', 'output_file_id', newId()], ['errors', 'failed', 'error_file_id', newId()]] as const) {
      // nobody has the key to fetch what a batch of an ended key has; and what never began has nothing
      if (final === 'failed' || !rows[0].began) continue
      const made = await client.query(fileText, [id, holds, `${batch.replaceAll('-', '')}_${holds === 'answers' ? 'output' : 'error'}.jsonl`, now, batch, line])
      if (made.rowCount !== 0) await client.query(`update batch set ${column} = $2 where id = $1`, [batch, id])
    }
    await client.query(closeText, [batch, final, now])
    return final
  })
  faultPoint('batch.close:after')
  return state
}

function finalOf({ began, stopped, hasErrors, waiting }: Closing): Final {
  if (hasErrors) return 'failed'
  if (stopped) return 'cancelled'
  return waiting > 0 || !began ? 'expired' : 'completed'
}

const closingText = `
  select began_at is not null as began, cancelling_at is not null as stopped, errors is not null as "hasErrors", (select count(*)::integer from batch_line where batch_id = b.id and state = 'waiting') as waiting
  from batch b where id = $1 and closed_at is null for no key update`

const leftText = `
  update batch_line set state = 'failed', answer = jsonb_build_object('id', 'batch_req_' || replace(batch_id::text, '-', '') || '_' || number, 'custom_id', custom_id,
    'response', null, 'error', jsonb_build_object('code', $2::text, 'message', $3::text))::text
  where batch_id = $1 and state = 'waiting'`

const fileText = `
  insert into batch_file (id, key_id, gate, holds, batch_id, name, state, made_at, bytes, lines, label_level, label_integrity, label_lanes)
  select $1, b.key_id, b.gate, $2, b.id, $3, 'whole', $4, sum(octet_length(l.answer) + 1), count(*), b.label_level, b.label_integrity, b.label_lanes
  from batch b join batch_line l on l.batch_id = b.id where b.id = $5 and l.state = $6 group by b.id`

const closeText = `
  with closed as (update batch set state = $2, closed_at = $3 where id = $1 returning *)
  select audit_append('batch.closed', id::text, jsonb_build_object('key', key_id, 'gate', gate, 'state', state, 'answered', answered, 'failed', failed), label_level) from closed`
