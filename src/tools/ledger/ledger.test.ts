import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { testDatabase } from '../../../test/support/database.ts'
import { openTestRun, type TestRun } from '../../../test/support/tool-run.ts'
import { createManualClock } from '../../kernel/clock.ts'
import { newId } from '../../kernel/ids.ts'
import type { Label } from '../../labels/index.ts'
import { callTool } from '../call-tool.ts'
import type { AnyTool } from '../define-tool.ts'
import type { ToolContext } from '../tool-context.ts'
import { createLedger } from './create-ledger.ts'
import { ledgerAlerts } from './alerts.ts'
import { ledgerCalls, ledgerDrafts, ledgerLate, ledgerOccurrences, ledgerRuns } from './ledger-tools.ts'

const database = await testDatabase()
const owner = database.owner.pool
const clock = createManualClock(new Date('2026-11-20T12:00:00Z'))
let here: TestRun
beforeEach(async () => {
  await owner.query('truncate occurrence, run, step, proposal, draft, decision, delivery, session, model_call cascade')
  here = await openTestRun(database)
})

async function ask(tool: AnyTool, input: object = {}, as: 'castellan_worker_open' | 'castellan_worker_private' = 'castellan_worker_private'): Promise<{ output: Record<string, never[]> & { count: number }; label: Label }> {
  const ledger = createLedger({ database: database.as(as), clock, ...here })
  const context = { ...here, ledger, clock, signal: new AbortController().signal, wasMadeWithoutModel: () => false } as Partial<ToolContext> as ToolContext
  return (await callTool(tool, context, input)) as never
}

async function occurrence(slot: string, state: string, reason: string | null = null, level = 1): Promise<void> {
  await owner.query(
    `insert into occurrence (id, job, slot, origin, state, reason, closed_at, label_level, label_integrity, label_lanes) values ($1, 'morning', $2, 'schedule', $3, $4, case when $3 = 'due' then null else now() end, $5, 'trusted', '{open}')`,
    [newId(), slot, state, reason, level],
  )
}

test('occurrences tell of every slot since a moment, newest first', async () => {
  await occurrence('2026-11-20T06:00:00Z', 'ran')
  await occurrence('2026-11-20T07:00:00Z', 'missed', 'down')
  await occurrence('2026-11-18T07:00:00Z', 'ran')
  const { output } = await ask(ledgerOccurrences, { since: '24h' })
  const ours = (output['occurrences'] as { job: string; slot: string; state: string }[]).filter(({ job }) => job === 'morning')
  assert.deepEqual(ours.map(({ slot, state }) => [slot, state]), [['2026-11-20T07:00:00.000Z', 'missed'], ['2026-11-20T06:00:00.000Z', 'ran']])
})

test('late are those that were missed, skipped or failed, and those that are due for over an hour', async () => {
  for (const [slot, state, reason] of [
    ['01', 'ran', null], ['02', 'missed', 'down'], ['03', 'skipped', 'overlap'], ['04', 'failed', 'dead'], ['05', 'due', null], ['11', 'due', null],
  ]) await occurrence(`2026-11-20T${slot}:30:00Z`, state!, reason)
  const { output } = await ask(ledgerLate)
  assert.deepEqual((output['occurrences'] as { slot: string }[]).map(({ slot }) => slot.slice(11, 13)), ['05', '04', '03', '02'])
})

test('runs tell how they ended by its code, never by its text', async () => {
  await owner.query(`update run set state = 'dead', fence = null, closed_at = now(), error = '{"code":"files.missing","message":"there is no people/eva.md"}' where id = $1`, [here.run.id])
  const { output } = await ask(ledgerRuns, { since: '2020-01-01' })
  const [run] = output['runs'] as { id: string; error: string; state: string }[]
  assert.deepEqual([run!.id, run!.state, run!.error], [here.run.id, 'dead', 'files.missing'])
  assert.doesNotMatch(JSON.stringify(output), /eva\.md/)
})

test('what is above the level of the run is left out, and what is shown raises it', async () => {
  const other = await openTestRun(database)
  const secret = await openTestRun(database)
  await owner.query(`update run set label_level = 2, label_lanes = '{private,work}', label_integrity = 'untrusted' where id = $1`, [other.run.id])
  await owner.query('update run set label_level = 3 where id = $1', [secret.run.id])
  const { output, label } = await ask(ledgerRuns, { since: '2020-01-01' })
  assert.deepEqual((output['runs'] as { id: string }[]).map(({ id }) => id).sort(), [here.run.id, other.run.id].sort())
  assert.deepEqual(label, { level: 2, integrity: 'untrusted', lanes: ['private', 'work'] })
})

test('the open worker is told of nothing that a cloud model may not see', async () => {
  const { output } = await ask(ledgerRuns, { since: '2020-01-01' }, 'castellan_worker_open')
  assert.deepEqual(output['runs'], [])
})

test('the open worker is told of the slots of its lane', async () => {
  await occurrence('2026-11-20T07:00:00Z', 'missed', 'down')
  await occurrence('2026-11-20T08:00:00Z', 'missed', 'down', 2)
  const { output, label } = await ask(ledgerLate, { since: '24h' }, 'castellan_worker_open')
  assert.deepEqual((output['occurrences'] as { slot: string }[]).map(({ slot }) => slot), ['2026-11-20T07:00:00.000Z'])
  assert.deepEqual(label, { level: 1, integrity: 'trusted', lanes: ['open', 'private'] }, 'the run that asks is of lane private')
})

test('drafts tell what became of each proposal', async () => {
  await owner.query(
    `select proposal_open($1, $2, $3, 'only', 'k', 'mail', 'file', '{"text":"private words"}')`, [newId(), here.run.id, here.run.fence])
  const { output } = await ask(ledgerDrafts, { since: '2020-01-01' })
  assert.equal(output.count, 1)
  assert.deepEqual((output['drafts'] as { job: string; state: string }[]).map(({ job, state }) => [job, state]), [[here.run.job, 'proposed']])
  assert.doesNotMatch(JSON.stringify(output), /private words/)
})

test('calls are added up by task, model and outcome; with an unknown price the cost is unknown', async () => {
  const session = newId()
  await owner.query(`insert into session (id, key_hash, run_id, fence) values ($1, $2, $3, $4)`, [session, Buffer.from(session), here.run.id, here.run.fence])
  const calls = [['a', 'succeeded', 10, 1, 0.1], ['a', 'succeeded', 5, 1, 0.1], ['b', 'failed', null, 1, 0], ['secret', 'succeeded', 7, 3, 0.1], ['far', 'succeeded', 7, 1, 0.1], ['far', 'succeeded', 7, 1, null]]
  for (const [model, state, tokens, level, cost] of calls) {
    await owner.query(
      `insert into model_call (id, session_id, run_id, gate, task, model, state, input_tokens, output_tokens, cost_eur, closed_at, label_level)
       values ($1, $2, $3, 'local', 'summarize', $4, $5, $6, 1, $8, now(), $7)`, [newId(), session, here.run.id, model, state, tokens, level, cost])
  }
  const { output } = await ask(ledgerCalls, { since: '2020-01-01' })
  assert.deepEqual(output['calls'], [
    { task: 'summarize', gate: 'local', upstream: null, model: 'far', state: 'succeeded', calls: 2, inputTokens: 14, outputTokens: 2, costEur: null },
    { task: 'summarize', gate: 'local', upstream: null, model: 'a', state: 'succeeded', calls: 2, inputTokens: 15, outputTokens: 2, costEur: 0.2 },
    { task: 'summarize', gate: 'local', upstream: null, model: 'b', state: 'failed', calls: 1, inputTokens: 0, outputTokens: 1, costEur: 0 },
  ])
})

test('alerts tell what was seen and what to do, the gravest first; of those that are over only the newest, and those that are named', async () => {
  await owner.query('truncate alert, alert_signal cascade')
  const report = (kind: string, subject: string, count = 1) => owner.query('select alert_report($1, $2, $3, now())', [kind, subject, count])
  await report('page.stranger', 'dashboard', 3)
  await report('nonce.replayed', 'post')
  await report('page.stranger', 'old')
  await owner.query(`update alert set state = 'closed', closed_at = '2026-11-18', last_seen = '2026-11-18' where subject = 'old'`)
  const { output, label } = await ask(ledgerAlerts)
  const alerts = output['alerts'] as { id: string; subject: string; level: string; count: number; what: string; mend: string }[]
  assert.deepEqual(alerts.map(({ subject, level, count }) => [subject, level, count]), [['post', 'critical', 1], ['dashboard', 'warning', 3]])
  assert.match(alerts[0]!.what, /released before came once more/)
  assert.match(alerts[0]!.mend, /castellan audit verify/)
  assert.deepEqual(label, { level: 1, integrity: 'trusted', lanes: ['private'] })
  const { rows: [old] } = await owner.query(`select id from alert where subject = 'old'`)
  assert.deepEqual(((await ask(ledgerAlerts, { alerts: [old.id] })).output['alerts'] as { subject: string; state: string }[]).map(({ subject, state }) => [subject, state]), [['old', 'closed']])
  assert.equal((await ask(ledgerAlerts, { alerts: [] })).output.count, 0)
  assert.equal((await ask(ledgerAlerts, { since: '7000d' })).output.count, 3)
})

test('of alerts a worker sees those that it may, and they raise the run', async () => {
  await owner.query('truncate alert, alert_signal cascade')
  for (const subject of ['one', 'two']) await owner.query(`select alert_report('page.stranger', $1, 1, now())`, [subject])
  await owner.query(`update alert set label_level = 2, label_integrity = 'untrusted' where subject = 'two'`)
  const subjects = async (as?: 'castellan_worker_open') => {
    const { output, label } = await ask(ledgerAlerts, {}, as)
    return [(output['alerts'] as { subject: string }[]).map(({ subject }) => subject).sort(), label.level]
  }
  assert.deepEqual(await subjects('castellan_worker_open'), [['one'], 1])
  assert.deepEqual(await subjects(), [['one', 'two'], 2])
  await owner.query(`update alert set label_level = 3 where subject = 'two'`)
  assert.deepEqual((await subjects())[0], ['one'])
})
