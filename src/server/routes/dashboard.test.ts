import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { signedInBrowser } from '../../../test/support/browser.ts'
import { jobDefinition, stepDefinition } from '../../../test/support/jobs.ts'
import { testServer, type TestServer } from '../../../test/support/server.ts'
import { newId } from '../../kernel/ids.ts'
import type { DraftDetail, DraftLine, HouseView, JobLine, LogLine, OpenedRun, RunDetail, RunSummary, TodayView, ToolRunView } from '../api.ts'

const briefing = jobDefinition({
  name: 'morning-mail',
  steps: [stepDefinition('mail'), stepDefinition('brief')],
  schedules: [{ cron: '10 7 * * 1-5', timezone: 'Europe/Berlin' }],
})
const local = { level: 3, integrity: 'untrusted', lanes: [] } as const
const open = async (server: TestServer, job = 'morning-mail') => (await server.post<OpenedRun>(`/api/jobs/${job}/run`)).data.id

test('the morning page has the newest brief, and says whether a model made it', async (t) => {
  const server = await testServer(t, [briefing, jobDefinition({ name: 'other' })])
  assert.equal((await server.get<TodayView>('/api/today')).data.brief, null)
  const first = await open(server)
  await server.execute(first, {}, { output: { text: 'Old.' } })
  const second = await open(server)
  await server.execute(second, {}, { output: { text: '# Tuesday\nTwo letters.' }, without_model: true })
  await server.execute(await open(server), {}, { state: 'failed', error: { code: 'x', message: 'no brief' } as never })
  const { brief } = (await server.get<TodayView>('/api/today')).data
  assert.deepEqual({ ...brief, made_at: '', label: brief!.label.word }, {
    text: '# Tuesday\nTwo letters.', made_at: '', job: 'morning-mail', run: second, label: 'P1 low', made_without_model: true,
  })
})

test('jobs come with their next fires and the strip of their slots, in the order of time', async (t) => {
  const server = await testServer(t, [briefing, jobDefinition({ name: 'by-hand' })])
  server.clock.set(new Date('2026-11-20T05:00:00Z'))
  const rows = Array.from({ length: 35 }, (_, day) => `(gen_random_uuid(), 'morning-mail', timestamptz '2026-10-01T06:10:00Z' + interval '${day} days', 'schedule', 'missed', 'down', now())`)
  await server.database.owner.pool.query(`insert into occurrence (id, job, slot, origin, state, reason, closed_at) values ${rows.join(',')}`)
  const run = await open(server)
  const [byHand, scheduled] = (await server.get<JobLine[]>('/api/jobs')).data
  assert.deepEqual([byHand!.fires, byHand!.strip], [[], []])
  assert.deepEqual(scheduled!.fires.map(({ at }) => at), ['2026-11-20T06:10:00.000Z', '2026-11-23T06:10:00.000Z', '2026-11-24T06:10:00.000Z', '2026-11-25T06:10:00.000Z', '2026-11-26T06:10:00.000Z'])
  assert.equal(scheduled!.strip.length, 30)
  assert.deepEqual(scheduled!.strip.at(-1), { slot: '2026-11-20T05:00:00.000Z', origin: 'manual', state: 'due', reason: null, run, run_state: 'queued' })
  assert.deepEqual(scheduled!.strip[0], { slot: '2026-10-07T06:10:00.000Z', origin: 'schedule', state: 'missed', reason: 'down', run: null, run_state: null })
  await server.post('/api/jobs/morning-mail/pause')
  assert.deepEqual((await server.get<JobLine[]>('/api/jobs')).data[1]!.fires, [])
})

test('drafts are listed by state with where to sign them, and never with what they say', async (t) => {
  const server = await testServer(t, [briefing], { ports: { releaser: 7999 } } as never)
  const run = await open(server)
  const [waiting, replaced] = [await draft(server, run, 'waiting'), await draft(server, run, 'replaced')]
  await server.database.owner.pool.query('update draft set replaces = $2 where id = $1', [waiting, replaced])
  await server.database.owner.pool.query(`insert into decision (id, draft_id, verdict, reason, decided_at) values (gen_random_uuid(), $1, 'deny', 'SECRET reason', now())`, [replaced])
  const all = (await server.get<DraftLine[]>('/api/drafts')).data
  assert.deepEqual(all.map(({ id }) => id), [replaced, waiting])
  assert.deepEqual((await server.get<DraftLine[]>('/api/drafts?state=waiting&limit=1')).data.map(({ id, sign_url, job }) => [id, sign_url, job]), [[waiting, `http://localhost:7999/#draft=${waiting}`, 'morning-mail']])
  const { data } = await server.get<DraftDetail>(`/api/drafts/${replaced}`)
  assert.deepEqual([data.state, data.replaced_by, data.decisions.map(({ verdict }) => verdict), data.delivery], ['replaced', waiting, ['deny'], null])
  assert.doesNotMatch(JSON.stringify([all, data]), /SECRET/)
  assert.equal((await server.get(`/api/drafts/${newId()}`)).status, 404)
  assert.equal((await server.get('/api/drafts?state=nonsense')).status, 400)
})

test('the house says where drafts are signed', async (t) => {
  const server = await testServer(t, [], { signing: { origin: 'https://desk.mesh.example' } } as never)
  await server.database.owner.pool.query(`insert into supervisor (pid, started_at, version, house, isolation) values (1, now(), '0.1.0', '/h', 'x')`)
  const { data } = await server.get<HouseView>('/api/house')
  assert.deepEqual([data.sign_origin, data.timezone, data.alerts, data.isolation.mode], ['https://desk.mesh.example', 'Europe/Berlin', [], 'demonstration'])
})

test('what is P3 reaches a browser only when it asks, and that it asked is on the record first', async (t) => {
  const server = await testServer(t, [briefing, jobDefinition({ name: 'tool.text.echo', steps: [stepDefinition('call')] })])
  const browser = await signedInBrowser(server)
  const run = await open(server)
  await server.execute(run, { output: { low: 'shown' } }, { label: local, log: 'SECRET line', output: { text: 'SECRET brief' } })
  const dead = await open(server)
  await server.execute(dead, {}, { label: local, state: 'failed', retry: false, error: { code: 'it.broke', message: 'SECRET cause' } } as never)
  for (const [id, refusal] of [[run, 'SECRET is no name of a file'], [dead, null]] as const) {
    await server.database.owner.pool.query(
      `insert into proposal (id, run_id, step_id, item_key, kind, connector, payload, state, refusal) values (gen_random_uuid(), $1, 'brief', 'x', 'mail', 'file', '{}', 'refused', $2)`, [id, refusal])
  }
  const read = async <T>(url: string) => (await browser.call('GET', url)).body.data as T

  const shown = await read<RunDetail>(`/api/runs/${run}`)
  assert.deepEqual([shown.withheld, shown.input, shown.steps.map(({ withheld, output }) => [withheld, output])], [true, null, [[false, { low: 'shown' }], [true, null]]])
  assert.deepEqual((await read<LogLine[]>(`/api/runs/${run}/logs`)).map(({ withheld, message }) => [withheld, message]), [[true, '']])
  assert.equal((await read<TodayView>('/api/today')).brief!.text, null)
  assert.equal((await read<RunSummary[]>('/api/dead'))[0]!.error!.code, 'it.broke')
  for (const url of ['/api/today', '/api/dead', '/api/runs', `/api/runs/${run}`, `/api/runs/${dead}`, `/api/runs/${dead}/logs`]) assert.doesNotMatch(JSON.stringify(await read(url)), /SECRET/, url)
  assert.deepEqual((await server.requests()).filter(({ detail }) => detail.request === 'run.reveal'), [])

  assert.deepEqual((await read<RunDetail>(`/api/runs/${run}?reveal=1`)).steps[1]!.output, { text: 'SECRET brief' })
  assert.match((await read<RunDetail>(`/api/runs/${run}?reveal=1`)).proposals[0]!.refusal!, /SECRET/)
  assert.equal((await read<RunDetail>(`/api/runs/${dead}`)).proposals[0]!.refusal, null, 'what was not said is not left out')
  assert.equal((await read<LogLine[]>(`/api/runs/${run}/logs?reveal=1`))[0]!.message, 'SECRET line')
  assert.deepEqual((await server.requests()).filter(({ detail }) => detail.request === 'run.reveal').map(({ subject }) => subject), [run, run, run])
  assert.match(JSON.stringify((await server.get(`/api/runs/${run}`)).data), /SECRET/, 'the socket shows it as ever')

  const answer = browser.call('POST', '/api/tools/text.echo/run', { payload: {} })
  let carried: RunSummary | undefined
  while (carried === undefined) carried = (await server.get<RunSummary[]>('/api/runs?job=tool.text.echo')).data[0]
  await server.execute(carried.id, { label: local, output: { said: 'SECRET' } })
  server.deps.wakes.emit('wake')
  const { output, withheld } = (await answer).body.data as ToolRunView
  assert.deepEqual([output, withheld], [null, true])
})

test('a run of the browser is recorded like one of the socket', async (t) => {
  const server = await testServer(t, [briefing])
  const browser = await signedInBrowser(server)
  const { status, body } = await browser.call('POST', '/api/jobs/morning-mail/run', { payload: { input: { a: 1 } } })
  assert.equal(status, 202)
  assert.equal((await browser.call('POST', `/api/runs/${(body.data as OpenedRun).id}/cancel`)).status, 200)
  assert.deepEqual((await server.requests()).map(({ detail }) => detail.request), ['job.run', 'run.cancel'])
})

async function draft(server: TestServer, run: string, state: string): Promise<string> {
  const [id, proposal] = [newId(), randomUUID()]
  const owner = server.database.owner.pool
  await owner.query(`insert into proposal (id, run_id, step_id, item_key, kind, connector, payload) values ($1::uuid, $2, 'mail', $1::text, 'mail', 'file', '{}')`, [proposal, run])
  await owner.query(
    `insert into draft (id, proposal_id, kind, connector, account, document, wire, nonce, risk, summary, state, frozen_at, expires_at)
     values ($1::uuid, $2, 'mail', 'file', 'a', '{"to":"SECRET"}', 'SECRET', $1::text, 4, '{"subject":"SECRET"}', $3, now(), now() + interval '1 day')`, [id, proposal, state])
  return id
}
