import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { jobDefinition, stepDefinition } from '../../../test/support/jobs.ts'
import { testServer, type TestServer } from '../../../test/support/server.ts'
import type { House } from '../../house/index.ts'
import { newId } from '../../kernel/ids.ts'
import { ownMachinesExamination } from '../doctor/own-machines-examination.ts'
import type { OpenedRun, StatusView, TodayView, UpstreamView } from '../api.ts'

const failing = jobDefinition({ name: 'failing', tries: 1 })
const calm = jobDefinition({ name: 'calm', schedules: [{ cron: '10 7 * * *', timezone: 'Europe/Berlin' }] })

async function today(server: TestServer): Promise<TodayView> {
  const { data, status, error } = await server.get<TodayView>('/api/today')
  assert.equal(status, 200, error?.message)
  return data
}

test('the first morning is calm: nothing needs the operator, nothing ran, nothing was spent', async (t) => {
  const server = await testServer(t, [calm])
  const { counts, state, next, missed_why } = await today(server)
  assert.deepEqual({ state, counts, missed_why }, { state: 'calm', missed_why: null, counts: { needs_you: 0, ran: 0, missed: 0, cost_eur: 0, private_words_left: 0 } })
  assert.deepEqual(next.map(({ job }) => job), ['calm'])
})

test('today counts what ran and what needs the operator, without the single tools', async (t) => {
  const server = await testServer(t, [calm, failing, jobDefinition({ name: 'tool.text.echo' })])
  const open = async (job: string) => (await server.post<OpenedRun>(`/api/jobs/${job}/run`)).data.id
  await server.execute(await open('calm'), {})
  await server.execute(await open('tool.text.echo'), {})
  const dead = await open('failing')
  await server.execute(dead, { state: 'failed', error: { code: 'test.down', message: 'it is down' } })
  const page = await today(server)
  assert.deepEqual([page.counts.ran, page.counts.needs_you, page.state], [1, 1, 'needs_you'])
  assert.deepEqual(page.dead.map(({ id }) => id), [dead])
  assert.deepEqual(page.runs.map(({ job }) => job), ['failing', 'calm'])
  assert.deepEqual(page.not_run.map(({ job, state, reason }) => ({ job, state, reason })), [{ job: 'failing', state: 'failed', reason: 'dead: test.down' }])
})

test('missed slots are counted each, and told together with their reason', async (t) => {
  const server = await testServer(t, [calm])
  const slots = [1, 2, 3].map((hour) => new Date(Date.UTC(2026, 10, 18, hour)))
  await server.database.as('castellan_server').pool.query('select occurrences_close($1, $2, $3, $4, $5)', ['calm', slots.map(() => newId()), slots, 'missed', 'Castellan was not running'])
  const page = await today(server)
  assert.deepEqual([page.counts.missed, page.missed_why], [3, 'Castellan was not running'])
  assert.deepEqual(page.not_run, [{
    job: 'calm', state: 'missed', reason: 'Castellan was not running', count: 3, first: slots[0]!.toISOString(), last: slots[2]!.toISOString(),
  }])
})

test('what was closed before midnight of the house is yesterday', async (t) => {
  const server = await testServer(t, [calm])
  const { id } = (await server.post<OpenedRun>('/api/jobs/calm/run')).data
  await server.execute(id, {})
  assert.equal((await today(server)).counts.ran, 1)
  // the longest day has 25 hours
  server.clock.advance(25 * 3_600_000)
  assert.equal((await today(server)).counts.ran, 0)
  server.clock.set(new Date('2026-07-01T21:59:00Z'))
  assert.equal((await today(server)).since, '2026-06-30T22:00:00.000Z')
  server.clock.set(new Date('2026-07-01T22:01:00Z'))
  assert.equal((await today(server)).since, '2026-07-01T22:00:00.000Z')
})

test('a draft that waits needs the operator until it expires; one in doubt until he says how it ended', async (t) => {
  const server = await testServer(t, [calm])
  const { id: run } = (await server.post<OpenedRun>('/api/jobs/calm/run')).data
  await draft(server, run, 'waiting', 60)
  await draft(server, run, 'waiting', -60)
  await draft(server, run, 'unknown', -60)
  await draft(server, run, 'denied', 60)
  const page = await today(server)
  assert.deepEqual(page.drafts.map(({ state, job, risk, label }) => ({ state, job, risk, word: label.word })), [
    { state: 'unknown', job: 'calm', risk: 4, word: 'P3 local only' }, { state: 'waiting', job: 'calm', risk: 4, word: 'P3 local only' },
  ])
  assert.equal(page.counts.needs_you, 2)
})

test('of many drafts today lists those that expire first, and counts the others', async (t) => {
  const server = await testServer(t, [calm])
  const { id: run } = (await server.post<OpenedRun>('/api/jobs/calm/run')).data
  for (let minute = 25; minute > 0; minute -= 1) await draft(server, run, 'waiting', minute * 60)
  const page = await today(server)
  assert.deepEqual([page.drafts.length, page.more_drafts, page.counts.needs_you], [20, 5, 25])
  const minutes = page.drafts.map(({ expires_at }) => Math.round((Date.parse(expires_at) - server.clock.now().getTime()) / 60_000))
  assert.deepEqual(minutes, Array.from({ length: 20 }, (_, index) => index + 1))
})

test('a draft that the operator put off is counted, and back at its time', async (t) => {
  const server = await testServer(t, [calm])
  const { id: run } = (await server.post<OpenedRun>('/api/jobs/calm/run')).data
  await draft(server, run, 'waiting', 60)
  const until = new Date(server.clock.now().getTime() + 30_000)
  await server.database.as('castellan_releaser').pool.query('update draft set snoozed_until = $1', [until])
  const asleep = await today(server)
  assert.deepEqual([asleep.drafts, asleep.snoozed, asleep.counts.needs_you], [[], [until.toISOString()], 0])
  server.clock.set(until)
  const awake = await today(server)
  assert.deepEqual([awake.drafts.length, awake.snoozed, awake.counts.needs_you], [1, [], 1])
})

test('private words that left are counted from the ledger of calls: only those above their clearance, in the cloud, and not refused', async (t) => {
  const server = await testServer(t, [calm])
  const { id: run } = (await server.post<OpenedRun>('/api/jobs/calm/run')).data
  const call = (zone: string, level: number, lanes: string[], state = 'succeeded', tokens: number | null = 100) => modelCall(server, run, { zone, level, lanes, state, tokens })
  await call('cloud', 1, ['open'])
  await call('machine', 3, ['private'])
  await call('cloud', 3, ['open'], 'refused')
  assert.equal((await today(server)).counts.private_words_left, 0)
  await call('cloud', 2, ['open'])
  await call('cloud', 0, ['private'], 'failed', null)
  assert.equal((await today(server)).counts.private_words_left, 101)
})

test('what an act of the operator cleared when it was asked is none of them, also after he has taken it back', async (t) => {
  const server = await testServer(t, [calm])
  const { id: run } = (await server.post<OpenedRun>('/api/jobs/calm/run')).data
  const { pool } = server.database.owner
  await pool.query(`insert into clearance (id, lane, upstream, url, level) values (gen_random_uuid(), 'open', 'ollama', 'https://far.example', 2)`)
  const call = () => modelCall(server, run, { zone: 'cloud', level: 2, lanes: ['open'], state: 'succeeded', tokens: 100 })
  await call()
  await pool.query('update clearance set revoked_at = clock_timestamp()')
  assert.equal((await today(server)).counts.private_words_left, 0)
  await call()
  assert.equal((await today(server)).counts.private_words_left, 100)
})

test('a machine that castellan.yaml calls one’s own is said to be of the mesh until that is signed, for the address that it has', async (t) => {
  const upstreams = [{ name: 'box', kind: 'ollama', url: 'http://10.0.0.9:11434', zone: 'machine', own: true }] as const
  const server = await testServer(t, [], { models: { upstreams, routes: {} } })
  const said = async () => {
    const [model] = (await server.get<UpstreamView[]>('/api/models')).data
    const [finding] = [await ownMachinesExamination({ database: server.database.as('castellan_server'), house: () => ({ settings: { models: { upstreams } } }) as never }).look()].flat()
    return [model?.zone, model?.owned, finding?.status, finding?.mend]
  }
  const sign = (url: string) => server.database.owner.pool.query(`insert into clearance (id, upstream, url, level) values (gen_random_uuid(), 'box', $1, 3)`, [url])
  assert.deepEqual(await said(), ['mesh', false, 'warn', 'castellan model own box'])
  await sign('http://10.0.0.8:11434')
  assert.deepEqual(await said(), ['mesh', false, 'warn', 'castellan model own box'])
  await sign('http://10.0.0.9:11434')
  assert.deepEqual(await said(), ['mesh', true, 'ok', undefined])
})

test('what was spent is a sum of known prices, or unknown', async (t) => {
  const upstreams = [{ name: 'ollama', kind: 'ollama', url: 'http://127.0.0.1', zone: 'cloud' }] as const
  const server = await testServer(t, [calm], { models: { upstreams, routes: {} } })
  const { id: run } = (await server.post<OpenedRun>('/api/jobs/calm/run')).data
  const call = (cost: number | null) => modelCall(server, run, { zone: 'cloud', level: 1, lanes: [], state: 'succeeded', tokens: 10, cost })
  const costs = async () => [(await today(server)).counts.cost_eur, (await server.get<UpstreamView[]>('/api/models')).data[0]!.cost_eur]
  assert.deepEqual(await costs(), [0, 0])
  await call(0.04)
  await call(0.01)
  assert.deepEqual(await costs(), [0.05, 0.05])
  await call(null)
  assert.deepEqual(await costs(), [null, null])
})

test('problems of the house need the operator when they are errors', async (t) => {
  const server = await testServer(t, [calm])
  const problem = { file: 'jobs/a.yaml', line: 3, column: 1, what: 'wrong', instead: 'right' }
  await server.database.owner.pool.query(`insert into house (digest, current, settings, problems) values ('d', true, '{}', $1)`, [
    JSON.stringify([{ ...problem, severity: 'error' }, { ...problem, line: 4, severity: 'warning' }]),
  ])
  const page = await today(server)
  assert.deepEqual([page.problems.length, page.counts.needs_you], [2, 1])
})

test('status says what runs and what waits, and is ready only with every process', async (t) => {
  const server = await testServer(t, [calm])
  assert.equal((await server.get('/api/status')).error.code, 'up.starting')
  const owner = server.database.owner.pool
  await owner.query(`insert into supervisor (pid, started_at, version, house, isolation) values (1, now(), '0.1.0', '/house', 'demonstration')`)
  await owner.query(`insert into process (name, pid, state, isolation) values ('server', 2, 'ready', 'demonstration'), ('releaser', 3, 'ready', 'demonstration')`)
  await server.post('/api/jobs/calm/run')
  const { data } = await server.get<StatusView>('/api/status')
  assert.equal(data.state, 'ready')
  assert.deepEqual(data.runs, { queued_open: 0, queued_private: 1, running: 0, parked: 0, waiting: 0 })
  assert.deepEqual(data.parts.map(({ name, ready }) => [name, ready]), [['database', true], ['migrations', true], ['scheduler', true]])
  await owner.query(`update process set state = 'backoff' where name = 'releaser'`)
  assert.equal((await server.get<StatusView>('/api/status')).data.state, 'not_ready')
})

test('upstreams are listed as their gates say they are, with their routes and what was asked of them today', async (t) => {
  const upstream = (name: string, zone: string) => ({ name, kind: 'ollama', url: `http://${name}`, zone }) as House['settings']['models']['upstreams'][number]
  const server = await testServer(t, [calm], {
    models: { upstreams: [upstream('ollama', 'machine'), upstream('box', 'mesh'), upstream('far', 'cloud'), upstream('web', 'internet')], routes: { summarize: [{ upstream: 'ollama', model: 'auto' }] } },
  })
  const small = { name: 'small', zone: 'machine', embedding: false } as const
  server.gates = [
    { gate: 'local', answers: true, status: { gate: 'local', address: '', routes: {}, upstreams: [
      { name: 'ollama', zone: 'machine', state: 'answers', latency_ms: 2, models: [small], resting: [] },
      { name: 'box', zone: 'mesh', state: 'silent', latency_ms: 2000, models: [], resting: [], error: { code: 'upstream.late', message: 'box has not answered' } },
    ] } },
    { gate: 'cloud', answers: false, error: { code: 'gate.unreachable', message: 'gate cloud does not answer' } },
  ]
  const { id: run } = (await server.post<OpenedRun>('/api/jobs/calm/run')).data
  await modelCall(server, run, { zone: 'machine', level: 1, lanes: [], state: 'failed', tokens: 10 })
  const { data } = await server.get<UpstreamView[]>('/api/models')
  assert.deepEqual(data.map(({ name, state, reason, latency_ms }) => [name, state, reason, latency_ms]), [
    ['ollama', 'answers', null, 2], ['box', 'silent', 'box has not answered', 2000],
    ['far', 'not asked', 'gate cloud does not answer', null], ['web', 'not asked', 'no gate serves the zone internet', null],
  ])
  const { models, routes, calls, failed, input_tokens } = data[0]!
  assert.deepEqual({ models, routes, calls, failed, input_tokens }, { models: [small], routes: [{ task: 'summarize', model: 'auto' }], calls: 1, failed: 1, input_tokens: 10 })
})

test('the gates believe what their upstreams said a moment ago, unless they are told to ask anew', async (t) => {
  const server = await testServer(t)
  const asked = t.mock.method(server.deps, 'gates', async () => [])
  await server.get('/api/models')
  await server.get('/api/models?fresh=1')
  assert.deepEqual(asked.mock.calls.map((call) => call.arguments), [[false], [true]])
})

test('a reload is on the record before it is asked for', async (t) => {
  const server = await testServer(t, [jobDefinition({ name: 'any', steps: [stepDefinition('only')] })])
  t.mock.method(server.deps, 'reload', async () => {
    assert.deepEqual((await server.requests()).map(({ detail }) => detail.request), ['house.reload'])
    return { fresh: true, digest: 'd', problems: [] }
  })
  assert.deepEqual((await server.post('/api/reload')).data, { fresh: true, digest: 'd', problems: [] })
})

async function draft(server: TestServer, run: string, state: string, expiresInSeconds: number): Promise<void> {
  const proposal = randomUUID()
  const owner = server.database.owner.pool
  await owner.query(`insert into proposal (id, run_id, step_id, item_key, kind, connector, payload) values ($1::uuid, $2, 'only', $1::text, 'mail', 'file', '{}')`, [proposal, run])
  await owner.query(
    `insert into draft (id, proposal_id, kind, connector, account, document, wire, nonce, risk, summary, state, frozen_at, expires_at)
     values ($1::uuid, $2, 'mail', 'file', 'a', '{}', 'x', $1::text, 4, '{}', $3, $4, $5)`,
    [newId(), proposal, state, server.clock.now(), new Date(server.clock.now().getTime() + expiresInSeconds * 1000)])
}

async function modelCall(server: TestServer, run: string, call: { zone: string; level: number; lanes: string[]; state: string; tokens: number | null; cost?: number | null }): Promise<void> {
  const owner = server.database.owner.pool
  const session = randomUUID()
  await owner.query(`insert into session (id, key_hash, run_id, fence) values ($1::uuid, decode(md5($1::text), 'hex'), $2, gen_random_uuid())`, [session, run])
  await owner.query(
    `insert into model_call (id, session_id, run_id, gate, task, upstream, zone, state, input_tokens, cost_eur, label_level, label_integrity, label_lanes, closed_at)
     values (gen_random_uuid(), $1, $2, 'cloud', 'summarize', 'ollama', $3, $4, $5, $8, $6, 'trusted', $7, now())`,
    [session, run, call.zone, call.state, call.tokens, call.level, call.lanes, call.cost ?? null])
}
