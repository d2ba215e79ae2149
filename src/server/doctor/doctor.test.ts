import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { jobDefinition } from '../../../test/support/jobs.ts'
import { testServer, type TestServer } from '../../../test/support/server.ts'
import type { House } from '../../house/index.ts'
import type { GateReport, UpstreamStatus } from '../../models/index.ts'
import type { Check, OpenedRun } from '../api.ts'
import { createDoctor } from './doctor.ts'
import { machineExaminations } from './machine-examinations.ts'

async function found(server: TestServer): Promise<Record<string, Check>> {
  const { data } = await server.get<Check[]>('/api/doctor')
  return Object.fromEntries(data.map((check) => [check.id, check]))
}

test('a check that throws or hangs fails alone, and every finding that is not ok names a command', async () => {
  const checks = await createDoctor([
    { id: 'well', mend: 'never', look: async () => ({ status: 'ok', what: 'fine' }) },
    { id: 'broken', mend: 'mend it', look: async () => Promise.reject(new Error('no database')) },
    { id: 'several', mend: 'look', look: async () => [{ status: 'warn', what: 'one' }, { status: 'fail', what: 'two', mend: 'other' }] },
  ]).examine()
  assert.deepEqual(checks, [
    { id: 'well', status: 'ok', what: 'fine' },
    { id: 'broken', status: 'fail', what: 'no database', mend: 'mend it' },
    { id: 'several', status: 'warn', what: 'one', mend: 'look' },
    { id: 'several', status: 'fail', what: 'two', mend: 'other' },
  ])
})

test('the database part of a fresh house is well, but for keys and processes', async (t) => {
  const server = await testServer(t)
  server.clock.set(new Date()) // it stands since the server was made, which a busy machine may have taken seconds for
  const checks = await found(server)
  const troubled = Object.values(checks).filter(({ status }) => status !== 'ok').map(({ id, status }) => [id, status])
  assert.deepEqual(troubled, [['processes', 'fail'], ['keys', 'warn']])
})

test('crashed processes, late runs, dead runs and problems of the house are found', async (t) => {
  const server = await testServer(t, [jobDefinition({ name: 'a', tries: 1 })])
  const owner = server.database.owner.pool
  await owner.query(`insert into process (name, state, isolation, restarts, reason) values ('server', 'ready', 'x', 0, null), ('releaser', 'crashed', 'x', 5, 'out of memory')`)
  const dead = (await server.post<OpenedRun>('/api/jobs/a/run')).data.id
  await server.execute(dead, { state: 'failed', error: { code: 'x', message: 'y' } })
  server.clock.advance(1_000)
  const late = (await server.post<OpenedRun>('/api/jobs/a/run')).data.id
  await owner.query(`update run set opened_at = now() - interval '20 minutes' where id = $1`, [late])
  await owner.query(`insert into house (digest, current, settings, problems) values ('d', true, '{}', '[{"file":"a.yaml","line":1,"column":2,"severity":"error","what":"wrong","instead":"right"}]')`)
  const checks = await found(server)
  assert.deepEqual([checks.processes!.status, checks.processes!.what], ['fail', 'releaser is crashed after 5 restarts: out of memory'])
  assert.deepEqual([checks['late-jobs']!.status, checks['dead-runs']!.status], ['fail', 'warn'])
  assert.deepEqual([checks.house!.status, checks.house!.what], ['fail', 'a.yaml:1:2 wrong'])
})

test('an audit whose tail is old is a releaser that does not seal; a clock that drifts is found', async (t) => {
  const server = await testServer(t)
  await server.post('/api/reload')
  assert.equal((await found(server)).audit!.status, 'ok')
  await server.database.owner.pool.query(`update audit_event set at = now() - interval '1 hour'`)
  assert.match((await found(server)).audit!.what, /not sealed, the oldest for 36\d\d s/)
  server.clock.set(new Date())
  assert.equal((await found(server)).clock!.status, 'ok')
  server.clock.advance(60_000)
  assert.equal((await found(server)).clock!.status, 'fail')
})

test('a demonstration key alone is a warning, until a key of the operator is enrolled', async (t) => {
  const server = await testServer(t)
  const enroll = (subject: string, kind: string, scope: string) =>
    server.database.owner.pool.query('insert into audit_event (kind, subject, detail) values ($1, $2, $3)', [kind, subject, JSON.stringify({ scope })])
  await enroll('ed25519:a', 'key.enrolled', 'demonstration')
  assert.match((await found(server)).keys!.what, /only the demonstration key/)
  await enroll('ed25519:b', 'key.enrolled', 'operator')
  assert.equal((await found(server)).keys!.status, 'ok')
  await enroll('ed25519:b', 'key.revoked', 'operator')
  assert.equal((await found(server)).keys!.status, 'warn')
})

test('the machine is looked at: isolation, sandbox, models, disk', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'castellan-doctor-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const examine = async (path: string, mode: 'separate-uids' | 'demonstration') => {
    const checks = await createDoctor(machineExaminations({ home: folder, house: houseWith(), gates: async () => [], isolation: { mode, detail: '' }, path, platform: 'linux' })).examine()
    return Object.fromEntries(checks.map(({ id, status }) => [id, status]))
  }
  assert.deepEqual(await examine(folder, 'demonstration').then(({ disk: _, ...rest }) => rest), { isolation: 'warn', sandbox: 'fail', models: 'ok' })
  writeFileSync(join(folder, 'bwrap'), '')
  chmodSync(join(folder, 'bwrap'), 0o755)
  assert.deepEqual(await examine(`/nowhere:${folder}`, 'separate-uids').then(({ disk: _, ...rest }) => rest), { isolation: 'ok', sandbox: 'ok', models: 'ok' })
})

test('models: how many upstreams answer is said, and which do not; a gate that is away is a failure', async () => {
  const small = { name: 'small', zone: 'machine', embedding: false } as const
  const answers = (name: string, models: UpstreamStatus['models'] = [small]): UpstreamStatus => ({ name, zone: 'machine', state: 'answers', latency_ms: 2, models, resting: [] })
  const silent = (name: string): UpstreamStatus => ({ name, zone: 'machine', state: 'silent', latency_ms: 1, models: [], resting: [], error: { code: 'x', message: `${name} cannot be reached` } })
  const gate = (...upstreams: UpstreamStatus[]): GateReport => ({ gate: 'local', answers: true, status: { gate: 'local', address: '', upstreams, routes: {} } })
  const look = async (names: string[], ...reports: GateReport[]) => {
    const asked: boolean[] = []
    const gates = async (fresh: boolean) => (asked.push(fresh), reports)
    const checks = await createDoctor(machineExaminations({ home: '/', house: houseWith(...names), gates, isolation: { mode: 'separate-uids', detail: '' }, path: '', platform: 'linux' })).examine()
    assert.deepEqual(asked, [true])
    return checks.filter(({ id }) => id === 'models').map(({ status, what }) => `${status}: ${what}`)
  }
  assert.deepEqual(await look(['a', 'b'], gate(answers('a'), answers('b'))), ['ok: 2 of 2 upstreams answer'])
  assert.deepEqual(await look(['a', 'b'], gate(answers('a'), silent('b'))), ['warn: 1 of 2 upstreams answers; b is silent: b cannot be reached'])
  assert.deepEqual(await look(['a'], gate(answers('a', [{ ...small, embedding: true }]))), ['warn: 1 of 1 upstreams answers; a has no model that answers'])
  assert.match((await look([]))[0]!, /^ok: the house names no model/)
  assert.deepEqual(await look(['a'], { gate: 'local', answers: false, error: { code: 'x', message: 'gate local does not answer' } }), [
    'fail: gate local does not answer', 'warn: 0 of 1 upstreams answer; a was not asked: gate local does not answer',
  ])
})

function houseWith(...names: string[]): () => Pick<House, 'settings'> {
  const upstreams = names.map((name) => ({ name, kind: 'ollama', url: 'http://127.0.0.1', zone: 'machine' }))
  return () => ({ settings: { models: { upstreams, routes: {} } } as unknown as House['settings'] })
}
