/** What is written into the audit of a call that ended: the columns of a row of model_call. */
export const closedEvent = `
  audit_append('call.closed', id::text, jsonb_build_object('run', run_id, 'key', key_id, 'gate', gate, 'task', task, 'upstream', upstream, 'model', model,
    'zone', zone, 'state', state, 'reason', reason, 'input_tokens', input_tokens, 'output_tokens', output_tokens, 'cost_eur', cost_eur), label_level)`

/**
 * Opens calls. $1 gate, $2 milliseconds to keep, $3 sessions as they were when the plans were made, $4 the calls, $5 whether the commit waits for the
 * disk. Returns the ids that were opened.
 *
 * The session must still be the same in the very statement that writes the row: its run, its fence, its label, and what its lanes allow; and a
 * client's key must be good for the label.
 */
export const openText = `
  with opened as (
    insert into model_call (id, session_id, run_id, key_id, gate, task, upstream, model, zone, input_tokens, output_tokens,
      label_level, label_integrity, label_lanes, retain_until, cost_eur, cost_usd, block_id, batch_id)
    select call.id, case when session.now ->> 'run' is not null then (session.now ->> 'id')::uuid end, (session.now ->> 'run')::uuid,
      case when session.now ->> 'run' is null then (session.now ->> 'id')::uuid end, $1, call.task, call.upstream, call.model, call.zone,
      call.input_tokens, call.output_tokens, call.label_level, call.label_integrity, call.label_lanes, clock_timestamp() + $2 * interval '1 ms',
      call.cost_eur / 1e9, call.cost_usd / 1e9, call.block, call.batch
    from (
      select place, said::jsonb as before, session_find(decode(key, 'hex')) as now
      from jsonb_to_recordset($3::jsonb) as given (place integer, key text, said text) offset 0
    ) as session
    join jsonb_to_recordset($4::jsonb) as call (place integer, id uuid, task text, upstream text, model text, zone text, input_tokens integer, output_tokens integer,
      cost_eur numeric, cost_usd numeric, block uuid, batch uuid, label_level smallint, label_integrity text, label_lanes text[]) using (place)
    where session.now = session.before and coalesce((session.now -> 'client' ->> 'max_level')::smallint >= call.label_level, true)
    returning id
  )
  select id, set_config('synchronous_commit', $5, true) from opened`

/** Closes calls without waiting for the disk. $1 ids, $2 their results by id. Returns the ids that were open. What took nothing in and gave nothing out was not paid for. */
export const closeText = `
  with closed as (
    update model_call set state = results.by_id -> model_call.id::text ->> 'state', reason = results.by_id -> model_call.id::text ->> 'reason',
      input_tokens = (results.by_id -> model_call.id::text ->> 'input_tokens')::integer,
      output_tokens = (results.by_id -> model_call.id::text ->> 'output_tokens')::integer, closed_at = clock_timestamp(),
      cached_tokens = (results.by_id -> model_call.id::text ->> 'cached_tokens')::integer,
      cache_write_tokens = (results.by_id -> model_call.id::text ->> 'cache_write_tokens')::integer,
      reasoning_tokens = (results.by_id -> model_call.id::text ->> 'reasoning_tokens')::integer,
      cost_eur = case when (results.by_id -> model_call.id::text ->> 'input_tokens')::integer + (results.by_id -> model_call.id::text ->> 'output_tokens')::integer = 0
        then 0 else coalesce((results.by_id -> model_call.id::text ->> 'cost_eur')::numeric / 1e9, cost_eur) end,
      cost_usd = case when (results.by_id -> model_call.id::text ->> 'input_tokens')::integer + (results.by_id -> model_call.id::text ->> 'output_tokens')::integer = 0
        then 0 else coalesce((results.by_id -> model_call.id::text ->> 'cost_usd')::numeric / 1e9, cost_usd) end
    from (select $2::jsonb as by_id offset 0) as results
    where model_call.id = any ($1::uuid[]) and model_call.state = 'open' returning model_call.*
  )
  select id, set_config('synchronous_commit', 'off', true) || ${closedEvent}::text from closed`

/** A call whose row is gone, as it ended. A row that is there stays as it is. */
export const anewText = `
  with restored as (
    insert into model_call (id, session_id, run_id, key_id, gate, task, upstream, model, zone, state, reason, input_tokens, output_tokens, cost_eur, cost_usd, block_id,
      label_level, label_integrity, label_lanes, retain_until, closed_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14::numeric / 1e9, $15::numeric / 1e9, $16, $17, $18, $19, clock_timestamp() + $20 * interval '1 ms', clock_timestamp())
    on conflict (id) do nothing returning *
  ) select ${closedEvent} from restored`
