import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jobDefinition, stepDefinition } from '../../../test/support/jobs.ts'
import { testServer } from '../../../test/support/server.ts'
import type { FireView, JobDetail, JobSummary, OccurrenceView, OpenedRun } from '../api.ts'

const daily = { cron: '10 7 * * *', timezone: 'Europe/Berlin' }

test('jobs are listed with their state, next fire and last run; the carriers of single tools are not', async (t) => {
  const server = await testServer(t, [jobDefinition({ name: 'brief', schedules: [daily] }), jobDefinition({ name: 'by-hand' }), jobDefinition({ name: 'tool.text.echo' })])
  server.clock.set(new Date('2026-11-20T05:00:00Z'))
  const { data: opened } = await server.post<OpenedRun>('/api/jobs/by-hand/run')
  const { data, status } = await server.get<JobSummary[]>('/api/jobs')
  assert.equal(status, 200)
  assert.deepEqual(data.map(({ name, state, next }) => ({ name, state, next })), [
    { name: 'brief', state: 'active', next: '2026-11-20T06:10:00.000Z' },
    { name: 'by-hand', state: 'manual', next: null },
  ])
  assert.deepEqual(data.map(({ last }) => last?.run ?? null), [null, opened.id])
  assert.equal(data[0]!.label.word, 'P1 low')
})

test('the next fires come in order over all schedules, and keep their wall-clock hour over the change of the clock', async (t) => {
  const server = await testServer(t, [jobDefinition({ name: 'brief', schedules: [daily, { cron: '0 12 28 3 *', timezone: 'UTC' }] })])
  server.clock.set(new Date('2026-03-27T12:00:00Z'))
  const { data } = await server.get<FireView[]>('/api/jobs/brief/next?limit=3')
  assert.deepEqual(data.map(({ at }) => at), ['2026-03-28T06:10:00.000Z', '2026-03-28T12:00:00.000Z', '2026-03-29T05:10:00.000Z'])
})

test('a request runs a job: one occurrence, one run, one queue job, one audited request, one wake', async (t) => {
  const server = await testServer(t, [jobDefinition({ name: 'brief' })])
  const { status, data } = await server.post<OpenedRun>('/api/jobs/brief/run', { input: { private: 'words' } })
  assert.equal(status, 202)
  assert.equal(data.outcome, 'opened')
  assert.equal(await server.queued(data.id), 1)
  assert.deepEqual(server.woken, ['runs_private'])
  assert.deepEqual(await server.requests(), [{ subject: 'brief', detail: { request: 'job.run', key: null } }])
  const { rows } = await server.database.owner.pool.query('select input from run where id = $1', [data.id])
  assert.deepEqual(rows[0].input, { private: 'words' })
})

test('the same key again answers with the first run, and runs nothing', async (t) => {
  const server = await testServer(t, [jobDefinition({ name: 'brief' })])
  const first = await server.post<OpenedRun>('/api/jobs/brief/run', { key: 'k' })
  const second = await server.post<OpenedRun>('/api/jobs/brief/run', { key: 'k' })
  assert.equal(second.data.outcome, 'duplicate')
  assert.equal(second.data.id, first.data.id)
  assert.equal(await server.queued(first.data.id), 1)
  assert.doesNotMatch(JSON.stringify(await server.requests()), /"k"/, 'a key may say as much as the input of the job')
})

test('requests without a key are never taken for one another, though the clock stands still', async (t) => {
  const server = await testServer(t, [jobDefinition({ name: 'brief' })])
  const opened = await Promise.all(Array.from({ length: 5 }, () => server.post<OpenedRun>('/api/jobs/brief/run')))
  assert.equal(new Set(opened.map(({ data }) => data.id)).size, 5)
  assert.deepEqual([...new Set(opened.map(({ data }) => data.outcome))], ['opened'])
})

test('a request that the overlap policy skips says which run was in the way', async (t) => {
  const server = await testServer(t, [jobDefinition({ name: 'tight', overlap: 'skip' })])
  const first = await server.post<OpenedRun>('/api/jobs/tight/run')
  server.clock.advance(1000)
  const second = await server.post<OpenedRun>('/api/jobs/tight/run')
  assert.deepEqual({ outcome: second.data.outcome, id: second.data.id }, { outcome: 'skipped', id: first.data.id })
  const { data: history } = await server.get<OccurrenceView[]>('/api/jobs/tight/history')
  assert.deepEqual(history.map(({ state, run }) => ({ state, run })), [{ state: 'skipped', run: null }, { state: 'due', run: first.data.id }])
  assert.match(history[0]!.reason!, /was not finished/)
})

test('a job that is not declared is missing for every request', async (t) => {
  const server = await testServer(t)
  for (const answer of [
    await server.get('/api/jobs/nope'), await server.get('/api/jobs/nope/next'), await server.get('/api/jobs/nope/history'),
    await server.post('/api/jobs/nope/run'), await server.post('/api/jobs/nope/pause'),
  ]) {
    assert.deepEqual({ status: answer.status, ok: answer.ok, code: answer.error.code }, { status: 404, ok: false, code: 'job.missing' })
  }
})

test('input that is no object, and fields that nobody knows, are refused by name', async (t) => {
  const server = await testServer(t, [jobDefinition({ name: 'brief' })])
  for (const body of [{ input: [1] }, { inputs: {} }, { key: '' }]) {
    const { status, error } = await server.post('/api/jobs/brief/run', body)
    assert.equal(status, 400)
    assert.equal(error.code, 'request.invalid')
    assert.match(error.message, new RegExp(Object.keys(body)[0]!))
  }
})

test('a job is paused and resumed, each time on the record', async (t) => {
  const server = await testServer(t, [jobDefinition({ name: 'brief', schedules: [daily] })])
  const { data } = await server.post<{ state: string }>('/api/jobs/brief/pause')
  assert.equal(data.state, 'paused')
  const paused = await server.get<JobDetail>('/api/jobs/brief')
  assert.deepEqual({ state: paused.data.state, next: paused.data.next }, { state: 'paused', next: null })
  await server.post('/api/jobs/brief/resume')
  assert.equal((await server.get<JobDetail>('/api/jobs/brief')).data.state, 'active')
  assert.deepEqual((await server.requests()).map(({ detail }) => detail.request), ['job.pause', 'job.resume'])
})

test('one job is shown with its steps and policies', async (t) => {
  const steps = [stepDefinition('mail', { uses: 'mail.list' }), stepDefinition('brief', { uses: 'text.summarize', if: '{{ true }}', fallback: 'extractive' })]
  const server = await testServer(t, [jobDefinition({ name: 'brief', steps })])
  const { data } = await server.get<JobDetail>('/api/jobs/brief')
  assert.deepEqual(data.steps, [
    { id: 'mail', uses: 'mail.list', if: null, fallback: null },
    { id: 'brief', uses: 'text.summarize', if: '{{ true }}', fallback: 'extractive' },
  ])
  assert.deepEqual({ reads: data.reads_up_to, overlap: data.overlap, tries: data.tries }, { reads: 'P2 internal', overlap: 'allow', tries: 3 })
})
