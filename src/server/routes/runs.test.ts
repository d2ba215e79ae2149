import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jobDefinition, stepDefinition } from '../../../test/support/jobs.ts'
import { testServer, type TestServer } from '../../../test/support/server.ts'
import type { LogLine, OpenedRun, RedrivenRun, RunDetail, RunSummary } from '../api.ts'

const twoSteps = jobDefinition({ name: 'two', tries: 1, steps: [stepDefinition('first'), stepDefinition('second')] })

async function opened(server: TestServer, job = 'two'): Promise<string> {
  const { data } = await server.post<OpenedRun>(`/api/jobs/${job}/run`)
  return data.id
}

test('the timeline of a run shows every step, those to come as pending', async (t) => {
  const server = await testServer(t, [twoSteps])
  const run = await opened(server)
  const before = (await server.get<RunDetail>(`/api/runs/${run}`)).data
  assert.deepEqual(before.steps.map(({ id, state, tool }) => ({ id, state, tool })), [
    { id: 'first', state: 'pending', tool: 'test.tool' }, { id: 'second', state: 'pending', tool: 'test.tool' },
  ])
  await server.execute(run, { output: { n: 1 }, label: { level: 3, integrity: 'untrusted', lanes: ['private'] }, without_model: true }, { log: 'said in the second' })
  const { data } = await server.get<RunDetail>(`/api/runs/${run}`)
  assert.deepEqual({ state: data.state, occurrence: data.occurrence.state, made_without_model: data.made_without_model }, { state: 'succeeded', occurrence: 'ran', made_without_model: true })
  assert.deepEqual(data.steps.map((step) => [step.state, step.output, step.label?.word, step.made_without_model]), [
    ['succeeded', { n: 1 }, 'P3 local only', true], ['succeeded', {}, 'P3 local only', false],
  ])
  const { data: log } = await server.get<LogLine[]>(`/api/runs/${run}/logs`)
  assert.deepEqual(log.map(({ step, message, label }) => [step, message, label.word]), [['second', 'said in the second', 'P3 local only']])
})

test('an id may be cut to its beginning or end, as long as only one run is meant', async (t) => {
  const server = await testServer(t, [twoSteps])
  const run = await opened(server)
  for (const short of [run.slice(-8), run.slice(0, 23), run.toUpperCase()]) {
    assert.equal((await server.get<RunDetail>(`/api/runs/${short}`)).data?.id, run, short)
  }
  await opened(server)
  const ambiguous = await server.get(`/api/runs/${run.slice(0, 4)}`)
  assert.deepEqual([ambiguous.status, ambiguous.error.code], [409, 'run.ambiguous'])
  const unknown = await server.get('/api/runs/ffffffffffff')
  assert.deepEqual([unknown.status, unknown.error.code], [404, 'run.missing'])
  for (const wrong of ['12', '%25%25%25%25%25', "1234'--", '____']) assert.equal((await server.get(`/api/runs/${wrong}`)).error.code, 'run.id', wrong)
})

test('runs are listed the newest first, by job and by state', async (t) => {
  const server = await testServer(t, [twoSteps, jobDefinition({ name: 'other' })])
  const first = await opened(server)
  const second = await opened(server, 'other')
  const ids = async (query: string) => (await server.get<RunSummary[]>(`/api/runs${query}`)).data.map(({ id }) => id)
  assert.deepEqual(await ids(''), [second, first])
  assert.deepEqual(await ids('?job=two'), [first])
  await server.post(`/api/runs/${first}/cancel`)
  assert.deepEqual(await ids('?state=cancelled'), [first])
  assert.deepEqual(await ids('?limit=1'), [second])
  assert.equal((await server.get('/api/runs?state=sleeping')).error.code, 'request.invalid')
})

test('a waiting caller hears of the end at once, and of the state when the time is up', async (t) => {
  const server = await testServer(t, [twoSteps])
  const run = await opened(server)
  const brief = await server.get<RunDetail>(`/api/runs/${run}?wait=0.05`)
  assert.equal(brief.data.state, 'queued')
  const waiting = server.get<RunDetail>(`/api/runs/${run}?wait=60`)
  await server.execute(run, {}, {})
  server.deps.wakes.emit('wake')
  assert.equal((await waiting).data.state, 'succeeded')
})

test('when the server stops, nobody waits on', async (t) => {
  const stopping = new AbortController()
  const server = await testServer(t, [twoSteps], {})
  const run = await opened(server)
  const { waitForRun } = await import('../wait-for-run.ts')
  const waited = waitForRun(server.deps, run, { milliseconds: 60_000, signal: stopping.signal })
  stopping.abort()
  await waited
  assert.equal((await server.get<RunDetail>(`/api/runs/${run}`)).data.state, 'queued')
})

test('a cancelled run is closed with its occurrence, and the one behind it goes', async (t) => {
  const server = await testServer(t, [jobDefinition({ name: 'queueing', overlap: 'queue' })])
  const first = await opened(server, 'queueing')
  const second = await server.post<OpenedRun>('/api/jobs/queueing/run')
  assert.deepEqual([second.data.outcome, second.data.state, await server.queued(second.data.id)], ['waiting', 'waiting', 0])
  const { data } = await server.post<{ state: string }>(`/api/runs/${first.slice(-8)}/cancel`)
  assert.equal(data.state, 'cancelled')
  assert.equal(await server.queued(second.data.id), 1)
  assert.equal((await server.get<RunDetail>(`/api/runs/${first}`)).data.occurrence.state, 'failed')
  const again = await server.post(`/api/runs/${first}/cancel`)
  assert.deepEqual([again.status, again.error.code, again.error.details], [409, 'run.closed', { state: 'cancelled' }])
  assert.deepEqual((await server.requests()).map(({ detail }) => detail.request), ['job.run', 'job.run', 'run.cancel'])
})

test('a dead run is listed with its error, and redriven it goes on where it stopped', async (t) => {
  const server = await testServer(t, [twoSteps])
  const run = await opened(server)
  await server.execute(run, { output: { kept: true } }, { state: 'failed', error: { code: 'test.down', message: 'it is down' } })
  const { data: dead } = await server.get<RunSummary[]>('/api/dead')
  assert.deepEqual(dead.map(({ id, state, error }) => ({ id, state, code: error?.code, message: error?.message })), [{ id: run, state: 'dead', code: 'test.down', message: 'it is down' }])
  const { data } = await server.post<{ state: string }>(`/api/dead/${run}/redrive`)
  assert.equal(data.state, 'queued')
  assert.equal(await server.queued(run), 2)
  await server.execute(run, {})
  const finished = (await server.get<RunDetail>(`/api/runs/${run}`)).data
  assert.deepEqual([finished.state, finished.steps[0]!.output, finished.steps[0]!.attempt], ['succeeded', { kept: true }, 1])
})

test('a run that is taken up again waits while another of a job that may not overlap is open', async (t) => {
  const server = await testServer(t, [jobDefinition({ name: 'skipping', overlap: 'skip' })])
  const failed = { state: 'failed', retry: false, error: { code: 'test.down', message: 'it is down' } } as const
  const first = await opened(server, 'skipping')
  await server.execute(first, failed)
  const ahead = await opened(server, 'skipping')
  server.woken.length = 0
  assert.deepEqual((await server.post<RedrivenRun>(`/api/dead/${first}/redrive`)).data, { id: first, state: 'waiting', behind: ahead })
  assert.deepEqual([await server.queued(first), server.woken], [1, []], 'the queue job is that of its first time')
  assert.equal((await server.get<RunDetail>(`/api/runs/${first}`)).data.state, 'waiting')
  assert.equal((await server.post(`/api/runs/${first}/retry`)).error.code, 'run.open')
  const closed = await server.execute(ahead, failed)
  assert.deepEqual(closed, { outcome: 'dead', next: first, next_queue: 'runs_private' })
  assert.deepEqual((await server.post<RedrivenRun>(`/api/runs/${ahead}/retry`)).data, { id: ahead, state: 'waiting', behind: first })
  assert.equal((await server.execute(first, {}))!.outcome, 'succeeded')
  assert.equal((await server.get<RunDetail>(`/api/runs/${ahead}`)).data.state, 'queued')
})

test('redrive is for the dead; a run that succeeded is repeated from a step that it reached', async (t) => {
  const server = await testServer(t, [twoSteps])
  const run = await opened(server)
  assert.equal((await server.post(`/api/runs/${run}/retry`)).error.code, 'run.open')
  await server.execute(run, {}, {})
  assert.equal((await server.post(`/api/dead/${run}/redrive`)).error.code, 'run.not_dead')
  assert.equal((await server.post(`/api/runs/${run}/retry`)).error.code, 'run.succeeded')
  assert.equal((await server.post(`/api/runs/${run}/retry`, { from: 'third' })).error.code, 'run.no_step')
  assert.equal((await server.post<{ state: string }>(`/api/runs/${run}/retry`, { from: 'second' })).data.state, 'queued')
  const states = (await server.get<RunDetail>(`/api/runs/${run}`)).data.steps.map(({ state }) => state)
  assert.deepEqual(states, ['succeeded', 'pending'])
  assert.equal((await server.requests()).at(-1)!.detail.from, 'second')
  const old = await opened(server)
  await server.execute(old, {}, {})
  await server.database.owner.pool.query(`update run set swept_at = now() where id = $1`, [old])
  assert.equal((await server.post(`/api/runs/${old}/retry`, { from: 'second' })).error.code, 'run.swept')
})

test('a refused request leaves no trace of being granted', async (t) => {
  const server = await testServer(t, [twoSteps])
  await server.post('/api/runs/019f7cb0-0000-7000-8000-000000000000/cancel')
  assert.deepEqual(await server.requests(), [])
})

test('a proposal speaks with the state of its latest draft', async (t) => {
  const server = await testServer(t, [twoSteps])
  const run = await opened(server)
  const owner = server.database.owner.pool
  await owner.query(
    `insert into proposal (id, run_id, step_id, item_key, kind, connector, payload) values
     ('019f7cb0-0000-7000-8000-000000000001', $1, 'first', 'a', 'mail', 'file', '{}'), ('019f7cb0-0000-7000-8000-000000000002', $1, 'first', 'b', 'mail', 'file', '{}')`, [run])
  await owner.query(
    `insert into draft (id, proposal_id, kind, connector, account, document, wire, nonce, risk, summary, state, frozen_at, expires_at, closed_at) values
     ('019f7cb0-0000-7000-8000-00000000000a', '019f7cb0-0000-7000-8000-000000000001', 'mail', 'file', 'a', '{}', 'x', 'n1', 3, '{}', 'undone', now() - interval '1 minute', now() + interval '1 hour', now()),
     ('019f7cb0-0000-7000-8000-00000000000b', '019f7cb0-0000-7000-8000-000000000001', 'mail', 'file', 'a', '{}', 'x', 'n2', 3, '{}', 'waiting', now(), now() + interval '1 hour', null)`)
  const { data } = await server.get<RunDetail>(`/api/runs/${run}`)
  assert.deepEqual(data.proposals.map(({ state, draft }) => [state, draft?.slice(-1) ?? null]), [['waiting', 'b'], ['proposed', null]])
})
