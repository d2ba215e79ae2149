import { lazily } from '../kernel/database/connect.ts'
import type { GateName } from '../labels/index.ts'

/** What opens and closes calls, many in one statement. */
export function callStatements(gate: GateName): { readonly openText: string; readonly closeText: string } {
  // A row that a crash of PostgreSQL itself may forget within the next moment is enough for a call that stays on machines of one's own and costs
  // nothing. What leaves for a cloud has its row on the disk before. A close that is forgotten leaves an open row, which is closed at what was
  // reserved.
  const opens = gate === 'local' ? `${lazily}, ` : ''
  return {
    // $1 gate, $2 milliseconds to keep, $3 sessions as they were when the plans were made, $4 calls. The session must still be the same in the very
    // statement that writes the row: its run, its fence, its label, and what its lanes allow.
    openText: `
      insert into model_call (id, session_id, run_id, gate, task, upstream, model, zone, input_tokens, output_tokens,
        label_level, label_integrity, label_lanes, retain_until, cost_eur)
      select call.id, (session.now ->> 'id')::uuid, (session.now ->> 'run')::uuid, $1, call.task, call.upstream, call.model, call.zone,
        call.input_tokens, call.output_tokens, call.label_level, call.label_integrity, call.label_lanes, clock_timestamp() + $2 * interval '1 ms', call.cost
      from ${opens}(
        select place, said::jsonb as before, session_find(decode(key, 'hex')) as now
        from jsonb_to_recordset($3::jsonb) as given (place integer, key text, said text) offset 0
      ) as session
      join jsonb_to_recordset($4::jsonb) as call (place integer, id uuid, task text, upstream text, model text, zone text, input_tokens integer, output_tokens integer,
        cost numeric, label_level smallint, label_integrity text, label_lanes text[]) using (place)
      where session.now = session.before
      returning id`,
    // $1 ids, $2 their results by id. What took nothing in and gave nothing out was not paid for.
    closeText: `
      with closed as (
        update model_call set state = results.by_id -> model_call.id::text ->> 'state', reason = results.by_id -> model_call.id::text ->> 'reason',
          input_tokens = (results.by_id -> model_call.id::text ->> 'input_tokens')::integer, output_tokens = (results.by_id -> model_call.id::text ->> 'output_tokens')::integer, closed_at = clock_timestamp(),
          cost_eur = case when (results.by_id -> model_call.id::text ->> 'input_tokens')::integer + (results.by_id -> model_call.id::text ->> 'output_tokens')::integer = 0 then 0 else cost_eur end
        from ${lazily}, (select $2::jsonb as by_id offset 0) as results
        where model_call.id = any ($1::uuid[]) and model_call.state = 'open' returning model_call.*
      ) select id, ${closedEvent} from closed`,
  }
}

export const closedEvent = `
  audit_append('call.closed', id::text, jsonb_build_object('run', run_id, 'gate', gate, 'task', task, 'upstream', upstream, 'model', model,
    'zone', zone, 'state', state, 'reason', reason, 'input_tokens', input_tokens, 'output_tokens', output_tokens), label_level)`
