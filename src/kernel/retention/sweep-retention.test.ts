import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { testDatabase } from '../../../test/support/database.ts'
import { declareJobs, jobDefinition } from '../../../test/support/jobs.ts'
import { sampleRows } from '../../../test/support/sample-rows.ts'
import { sweepRetention, type Swept } from './sweep-retention.ts'

const day = 86_400_000
const retention = { runLogMs: 10 * day, runsMs: 100 * day, mailMs: 50 * day, modelCallsMs: 40 * day, webhooksMs: 20 * day, sourcesMs: 20 * day, batchesMs: 20 * day, alertsMs: 30 * day, outboxMs: 1_000 * day }
const nothing: Swept = { logLines: 0, calls: 0, declassifications: 0, money: 0, batches: 0, sessions: 0, keys: 0, proposals: 0, orders: 0, runs: 0, occurrences: 0, messages: 0, contents: 0, events: 0, sources: 0, alerts: 0 }
const closed = new Date('2026-03-02T09:00:00Z')

async function house(t: TestContext) {
  const db = await testDatabase(t)
  const { pool } = db.owner
  const rows = await sampleRows(db)
  for (const { run } of [rows.open, rows.secret]) {
    await pool.query(`update step set output = '{"a": 1}', output_hash = sha256('x'), state = 'succeeded' where run_id = $1`, [run])
    await pool.query(`insert into run_log (run_id, at, level, message) select $1, $2::timestamptz, 'info', 'line ' || n from generate_series(1, 6000) n`, [run, closed])
  }
  const one = async <T>(text: string, values: unknown[] = []) => (await pool.query(text, values)).rows[0] as T
  /** `days` after everything was closed, or stored. */
  const sweep = async (days: number) => {
    const swept = await sweepRetention(db.owner, { retention, now: new Date(closed.getTime() + days * day + 1) })
    return Object.fromEntries(Object.entries(swept).filter(([, count]) => count > 0))
  }
  const close = async ({ draft = 'denied' } = {}) => {
    await pool.query(`update run set state = 'dead', fence = null, closed_at = $1, input = '{"word": "private"}', error = '{"code": "x.y", "message": "private"}'`, [closed])
    await pool.query(`update occurrence set state = 'failed', reason = 'dead', closed_at = $1`, [closed])
    await pool.query(`update model_call set state = 'succeeded', closed_at = $1, retain_until = null`, [closed])
    await pool.query(`update proposal set state = 'frozen'`)
    await pool.query(`alter table draft disable trigger draft_state_moves; update draft set state = '${draft}', closed_at = '${closed.toISOString()}', summary = '{"a": 1}', reason = 'private'; alter table draft enable trigger draft_state_moves`)
    await pool.query(`update decision set reason = 'private'`)
    await pool.query(`update session set expires_at = $1`, [closed])
    await pool.query(`update mail_message set stored_at = $1, envelope = '{"subject": "private"}', body_text = 'private', message_id = 'private'`, [closed])
  }
  return { db, pool, rows, one, sweep, close }
}

test('nothing of an open run or an open draft is ever swept', async (t) => {
  const { pool, sweep, one } = await house(t)
  await pool.query(`update session set expires_at = '2020-01-01'`)
  await pool.query(`update run_log set retain_until = '2020-01-01'; update proposal set retain_until = '2020-01-01'; update run set retain_until = '2020-01-01'; update step set retain_until = '2020-01-01'`)
  assert.deepEqual(await sweep(1e5), { messages: 1, contents: 1 }, 'mail is of no run')
  await pool.query(`update run set state = 'succeeded', fence = null, closed_at = $1, retain_until = null`, [closed])
  assert.equal('proposals' in (await sweep(1e5)), false, 'the draft still waits')
  assert.deepEqual(await one('select payload, document from proposal p join draft d on d.proposal_id = p.id'), { payload: { to: 'x' }, document: '{}' })
})

test('what ceilings counted goes with the calls that they counted, an open block never', async (t) => {
  const { db, pool, sweep, close, one } = await house(t)
  await close()
  const gate = db.as('castellan_gate_cloud').pool
  for (const id of [randomUUID(), randomUUID()]) {
    await gate.query(`select budget_reserve($1, '[{"ceiling": "day", "per": "day", "limit": 5}]', 'UTC', 1, 1, $2)`, [id, closed])
    if ((await one<{ blocks: number }>('select count(*)::int as blocks from budget_block')).blocks === 1) await gate.query('select budget_give_back($1)', [id])
  }
  await gate.query(`select exchange_rate_of('UTC', 0.9, $1)`, [closed])
  await pool.query('update budget_block set closed_at = $1 where closed_at is not null', [closed])
  await pool.query('update exchange_rate set recorded_at = $1', [closed])
  assert.equal((await sweep(39.9))['money'], undefined)
  assert.equal((await sweep(41))['money'], 2, 'the block that is closed, and the rate')
  assert.deepEqual(await one('select (select count(*)::int from budget_block) as blocks, (select count(*)::int from budget_account) as accounts'), { blocks: 1, accounts: 1 })
})

test('a key of a client goes when the calls that it let through are gone, and so does what was cleared; what is good stays', async (t) => {
  const { pool, sweep, one } = await house(t)
  const long = '2020-03-02T09:00:00Z'
  for (const [name, revoked, expires] of [['revoked', closed, null], ['over', null, long], ['asked', closed, null], ['good', null, null]] as const) {
    await pool.query(`insert into client_key (id, name, key_hash, gate, lane, max_level, made_at, revoked_at, expires_at) values (gen_random_uuid(), $1, sha256(convert_to($1::text, 'UTF8')), 'local', 'private', 1, $2, $3, $4)`, [name, closed, revoked, expires])
  }
  await pool.query(`insert into model_call (id, key_id, gate, task, state, opened_at, closed_at, retain_until) select gen_random_uuid(), id, 'local', 't', 'succeeded', $1, $1, 'infinity' from client_key where name = 'asked'`, [closed])
  for (const [lane, revoked] of [['open', closed], [null, null]] as const) {
    await pool.query(`insert into clearance (id, lane, upstream, url, level, revoked_at) values (gen_random_uuid(), $1, 'far', 'https://far.example', $2, $3)`, [lane, lane === null ? 3 : 2, revoked])
  }
  assert.deepEqual((await sweep(39.9))['keys'], 1, 'that was over long before')
  assert.deepEqual((await sweep(42))['keys'], 2)
  assert.deepEqual(await one(`select (select string_agg(name, ' ' order by name) from client_key) as keys, (select count(*)::int from clearance) as clearances`), { keys: 'asked good', clearances: 1 })
})

test('an alert goes when it was closed long enough, an open one never', async (t) => {
  const { pool, one, sweep } = await house(t)
  const report = `select alert_report('process.down', $1, 1, $2)`
  for (const subject of ['server', 'releaser']) await pool.query(report, [subject, closed])
  await pool.query(`select alert_over('process.down', 'server')`)
  await pool.query(`update alert set closed_at = $1 where state = 'closed'`, [closed])
  assert.equal((await sweep(1))['alerts'], undefined)
  assert.equal((await sweep(29.9))['alerts'], 2, 'the signals')
  assert.equal((await sweep(30))['alerts'], 1)
  assert.deepEqual(await one('select subject, state from alert'), { subject: 'releaser', state: 'open' })
})

test('an act of the operator himself, which has no run, is swept in its time too', async (t) => {
  const { db, pool, one, sweep } = await house(t)
  const id = randomUUID()
  await db.as('castellan_releaser').pool.query(`select operator_propose($1, 'model.own', 'castellan.acts', '{"upstream": "box"}')`, [id])
  await pool.query(`update proposal set state = 'refused', refusal = 'said', proposed_at = $2 where id = $1`, [id, closed])
  await sweep(1_000)
  assert.deepEqual(await one('select payload, refusal from proposal where id = $1', [id]), { payload: {}, refusal: null })
})

test('each kind goes in its time, and not before', async (t) => {
  const { sweep, close, one } = await house(t)
  await close()
  assert.deepEqual(await sweep(9.9), {})
  assert.deepEqual(await sweep(10), { logLines: 12_000 })
  assert.deepEqual(await sweep(39.9), {})
  assert.deepEqual(await sweep(40), { calls: 2, sessions: 2 })
  assert.deepEqual(await sweep(49.9), {})
  assert.deepEqual(await sweep(50), { messages: 1, contents: 1 })
  assert.deepEqual(await sweep(99.9), {})
  assert.deepEqual(await sweep(100), { runs: 2, occurrences: 1 })
  assert.deepEqual(await sweep(999.9), {})
  assert.deepEqual(await sweep(1_000), { proposals: 1 })
  assert.deepEqual(await sweep(1e6), {}, 'what is left is left for good')
  assert.deepEqual(await one(`select count(*) as sweeps from audit_event where kind = 'retention.swept' and detail ->> 'runs' = '2'`), { sweeps: 1 })
})

test('a run that nothing names goes whole; one with a proposal stays as a name', async (t) => {
  const { pool, rows, sweep, close } = await house(t)
  await close()
  await sweep(100)
  const { rows: left } = await pool.query('select r.id, input, r.error, swept_at is not null as swept, s.output, s.output_hash, s.error as step_error from run r join step s on s.run_id = r.id')
  assert.deepEqual(left, [{ id: rows.secret.run, input: {}, error: { code: 'x.y' }, swept: true, output: null, output_hash: createHash('sha256').update('x').digest(), step_error: null }])
  assert.deepEqual((await pool.query('select count(*) as occurrences from occurrence')).rows, [{ occurrences: 1 }])
})

test('of a draft its nonce stays, and of an approval its signature', async (t) => {
  const { pool, rows, one, sweep, close } = await house(t)
  await pool.query(`update decision set verdict = 'approve', key_id = 'k', signature = 's'`)
  await pool.query(`insert into delivery (id, draft_id, nonce, state, receipt, started_at) values ($1, $2, 'nonce', 'delivered', '{"to": "x"}', now())`, [randomUUID(), rows.draft])
  await close({ draft: 'released' })
  await sweep(1_000)
  assert.deepEqual(await one('select document, wire, summary, nonce, state, reason from draft'), { document: '', wire: Buffer.alloc(0), summary: {}, nonce: 'nonce', state: 'released', reason: null })
  assert.deepEqual(await one('select verdict, key_id, signature, reason from decision'), { verdict: 'approve', key_id: 'k', signature: Buffer.from('s'), reason: null })
  assert.deepEqual(await one('select state, nonce, receipt from delivery'), { state: 'delivered', nonce: 'nonce', receipt: null })
  assert.deepEqual(await one('select payload, item_key, state from proposal'), { payload: {}, item_key: 'item', state: 'frozen' })
})

test('a draft of which nobody knows whether it left waits for the word of the operator', async (t) => {
  const { pool, sweep, close } = await house(t)
  await close({ draft: 'unknown' })
  assert.equal('proposals' in (await sweep(1e5)), false)
  await pool.query(`update draft set state = 'failed'`)
  assert.equal((await sweep(1e5))['proposals'], 1)
})

test('a run that is taken up again is open again; one that was swept cannot be', async (t) => {
  const { db, pool, rows, sweep, close, one } = await house(t)
  await close()
  await sweep(1)
  const redrive = async () => (await db.as('castellan_server').pool.query('select run_redrive($1) as done', [rows.secret.run])).rows[0].done.outcome
  assert.equal(await redrive(), 'queued')
  assert.equal('proposals' in (await sweep(1e5)), false)
  assert.deepEqual(await one('select r.retain_until, r.input, s.output, o.state from run r join step s on s.run_id = r.id join occurrence o on o.id = r.occurrence_id'), { retain_until: null, input: { word: 'private' }, output: { a: 1 }, state: 'due' })
  await pool.query(`update run set state = 'dead', closed_at = $1 where id = $2`, [closed, rows.secret.run])
  assert.equal((await sweep(100))['runs'], 1)
  assert.equal(await redrive(), 'swept')
})

test('the last slot of a schedule stays, so that no slot before it is due again', async (t) => {
  const db = await testDatabase(t)
  await declareJobs(db.owner, [jobDefinition({ name: 'job' })])
  const slots = [1, 2, 3].map((n) => new Date(n * 1000))
  await db.as('castellan_server').pool.query(`select occurrences_close('job', $1, $2, 'missed', 'down')`, [slots.map(() => randomUUID()), slots])
  const swept = await sweepRetention(db.owner, { retention, now: new Date('2100-01-01') })
  assert.deepEqual(swept, { ...nothing, occurrences: 2 })
  assert.deepEqual((await db.owner.pool.query('select slot from occurrence')).rows, [{ slot: slots[2] }])
})

test('bytes stay as long as one message has them, and come back with a message that brings them again', async (t) => {
  const { db, pool, one, sweep, close } = await house(t)
  await close()
  const store = (uid: string) => db.as('castellan_releaser').pool.query(`select mail_store($1, 'sample', 'inbox', $2, 'raw mail', now(), 2::smallint, 'untrusted', '{private}')`, [randomUUID(), uid])
  await store('2')
  await pool.query(`update mail_message set stored_at = $1 where uid = '2'`, [new Date(closed.getTime() + 20 * day)])
  const body = () => one<{ body: Buffer | null }>('select body from content')
  assert.deepEqual([(await sweep(50))['messages'], (await body()).body], [1, Buffer.from('raw mail')])
  assert.deepEqual(await one(`select envelope, body_text, message_id, size > 0 as known from mail_message where uid = '1'`), { envelope: null, body_text: null, message_id: null, known: true })
  assert.deepEqual([(await sweep(70))['contents'], (await body()).body], [1, null])
  await store('3')
  assert.deepEqual([await sweep(70), (await body()).body], [{}, Buffer.from('raw mail')])
})

test('an event goes when its time is over and its runs are; by what it is known again stays as long as was said', async (t) => {
  const db = await testDatabase(t)
  const { pool } = db.owner
  await declareJobs(db.owner, [jobDefinition({ name: 'reader', webhook: { name: 'hub', events: [] } })])
  await pool.query(`insert into house (digest, settings, current) values ('h', $1, true)`, [JSON.stringify({ settings: { webhooks: [{ name: 'hub', label: { level: 2, lanes: ['private'] } }] } })])
  const [event, run] = [randomUUID(), randomUUID()]
  const store = () => db.as('castellan_listener').pool.query<{ what: string }>(`select inbound_store($1, 'hub', 'e', 'push', array[sha256('e')], '30 days', '{}', $2) as what`, [event, closed])
  await store()
  const sweep = (days: number) => sweepRetention(db.owner, { retention, now: new Date(closed.getTime() + days * day) })
  assert.equal((await sweep(21)).events, 0, 'it waits for its run')
  await db.as('castellan_server').pool.query(`select inbound_open($1, 'reader', $2, $3)`, [event, run, randomUUID()])
  assert.equal((await sweep(21)).events, 0, 'its run is not over')
  await pool.query(`update run set state = 'cancelled', closed_at = $1`, [closed])
  await sweep(21)
  assert.deepEqual((await pool.query('select count(*) as n from inbound_event')).rows, [{ n: 0 }])
  assert.equal((await store()).rows[0]!.what, 'replayed')
  await sweep(31)
  assert.deepEqual((await pool.query('select count(*) as n from inbound_seen')).rows, [{ n: 0 }])
})

test('what was asked of sources, and what they answered, goes in its time; what is still asked for never', async (t) => {
  const db = await testDatabase(t)
  const { pool } = db.owner
  await pool.query(`insert into source_fetch (id, source, run_id, job, state, closed_at) select gen_random_uuid(), 'leads', gen_random_uuid(), 'j', 'fetched', $1`, [closed])
  await pool.query(`insert into source_fetch (id, source, run_id, job) values (gen_random_uuid(), 'leads', gen_random_uuid(), 'j')`)
  await pool.query(`insert into source_snapshot (source, params_key, params, fetch_id, fetched_at, media, body) values ('leads', sha256('{}'), '{}', gen_random_uuid(), $1, '', '')`, [closed])
  const sweep = async (days: number) => (await sweepRetention(db.owner, { retention, now: new Date(closed.getTime() + days * day + 1) })).sources
  assert.deepEqual([await sweep(19), await sweep(20), await sweep(1e5)], [0, 2, 0])
  assert.deepEqual((await pool.query('select state from source_fetch')).rows, [{ state: 'asked' }])
})

test('what a standing order said is gone when it was over for long enough; what stands stays, and so does that it stood', async (t) => {
  const { owner } = await testDatabase(t)
  const order = (name: string, expires: Date | null, revoked: Date | null) => owner.pool.query(
    `insert into standing_order (id, name, kind, connector, account, per_day, timezone, level, document, wire, key_id, assertion, decided_at, granted_at, expires_at, revoked_at)
     values (gen_random_uuid(), $1, 'telegram.message', 'me', 'chat', 1, 'UTC', 2, '{}', 'x', 'passkey:x', '{}', $2, $2, $3, $4)`, [name, closed, expires, revoked])
  await order('stands', null, null)
  await order('revoked', null, closed)
  await order('expired', closed, null)
  const said = async () => (await owner.pool.query<{ name: string }>(`select name from standing_order where document <> '' order by name`)).rows.map(({ name }) => name)
  assert.equal((await sweepRetention(owner, { retention, now: new Date(closed.getTime() + 999 * day) })).orders, 0)
  assert.equal((await sweepRetention(owner, { retention, now: new Date(closed.getTime() + 1_001 * day) })).orders, 2)
  assert.deepEqual([await said(), (await owner.pool.query('select 1 from standing_order')).rowCount], [['stands'], 3])
})
