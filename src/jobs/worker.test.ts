import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { declareJobs, jobDefinition, stepDefinition } from '../../test/support/jobs.ts'
import { testDatabase, type TestDatabase } from '../../test/support/database.ts'
import { systemClock } from '../kernel/clock.ts'
import { newestVersion } from '../kernel/database/migrate.ts'
import { Fault } from '../kernel/fault.ts'
import { newId } from '../kernel/ids.ts'
import { pino } from 'pino'
import { takeRuns, type AdvanceOutcome, type StepCall, type StepOutput } from '../runs/index.ts'
import { Park } from '../tools/index.ts'
import { createRunOpener } from './open-run.ts'
import { startWorker } from './worker.ts'

const log = pino({ level: 'silent' })

async function setUp(t: TestContext, jobs: ReturnType<typeof jobDefinition>[]) {
  const database = await testDatabase(t)
  await declareJobs(database.owner, jobs)
  const server = database.as('castellan_server')
  const opener = createRunOpener(server)
  const open = (job: string, slot = new Date()) => opener({ job, slot, origin: 'manual' })
  return { database, open }
}

/** Runs a worker until `run` has left it for the `times`-th time. */
async function work(
  database: TestDatabase, callStep: (call: StepCall) => Promise<unknown>, { open = false, times = 1 } = {},
): Promise<AdvanceOutcome[]> {
  const role = open ? 'castellan_worker_open' : 'castellan_worker_private'
  const outcomes: AdvanceOutcome[] = []
  const left = Promise.withResolvers<void>()
  const pool = database.as(role)
  const worker = await startWorker(
    {
      database: pool, log, clock: systemClock,
      callStep: async (call): Promise<StepOutput> => ({ output: await callStep(call), label: call.label, madeWithoutModel: false }),
      onLeft: (_run, outcome) => {
        outcomes.push(outcome)
        if (outcomes.length === times) left.resolve()
      },
    },
    { queue: open ? 'runs_open' : 'runs_private', executor: `test-${role}`, concurrency: 4, pollMs: 20 },
  )
  await left.promise
  await worker.stop(1_000)
  return outcomes
}

const one = async <T>(database: TestDatabase, text: string, values: unknown[] = []) => (await database.owner.pool.query(text, values)).rows[0] as T

test('a run goes through its steps, each seeing what came before, and closes its occurrence', async (t) => {
  const job = jobDefinition({
    name: 'three',
    steps: [stepDefinition('first'), stepDefinition('second', { with: { sum: '{{ steps.first.output.value }}' } }), stepDefinition('third', { if: '{{ false }}' })],
  })
  const { database, open } = await setUp(t, [job])
  const { run } = await open('three')
  const inputs: unknown[] = []
  await work(database, async ({ input }) => {
    inputs.push(input)
    return { value: 7 }
  })
  assert.deepEqual(inputs, [{}, { sum: 7 }])
  const closed = await one<{ state: string; occurrence: string; steps: string[] }>(database, `
    select r.state, o.state as occurrence, (select array_agg(s.state order by s.position) from step s where s.run_id = r.id) as steps
    from run r join occurrence o on o.id = r.occurrence_id where r.id = $1`, [run])
  assert.deepEqual(closed, { state: 'succeeded', occurrence: 'ran', steps: ['succeeded', 'succeeded', 'skipped'] })
})

test('a step that fails is tried again after 2^n seconds, and after its tries the run is a dead letter', async (t) => {
  const { database, open } = await setUp(t, [jobDefinition({ name: 'failing', tries: 2 })])
  const { run } = await open('failing')
  const fail = async () => {
    throw new Fault('unavailable', 'test.down', 'it is down')
  }
  assert.deepEqual(await work(database, fail), [{ outcome: 'retry', delay: 2, queue: 'runs_private' }])
  // not from now on: however long the worker took to stop
  const { seconds } = await one<{ seconds: number }>(database, 'select extract(epoch from not_before - claimed_at)::float8 as seconds from run where id = $1', [run])
  assert.ok(seconds >= 2 && seconds < 60, `${seconds}`)
  await database.owner.pool.query(`update pgboss.job set start_after = now() where name = 'runs_private'`)
  const [last] = await work(database, fail)
  assert.equal(last!.outcome, 'dead')
  const { reason } = await one<{ reason: string }>(database, `select reason from occurrence where job = 'failing'`)
  assert.equal(reason, 'dead: test.down')
})

test('an input that is wrong is not tried again', async (t) => {
  const { database, open } = await setUp(t, [jobDefinition({ name: 'wrong' })])
  await open('wrong')
  const [outcome] = await work(database, async () => {
    throw new Fault('invalid', 'test.input', 'no')
  })
  assert.equal(outcome!.outcome, 'dead')
})

test('a run that reads more than a cloud model may see leaves the open worker for the private one', async (t) => {
  const { database, open } = await setUp(t, [jobDefinition({ name: 'rising', lane: 'open', steps: [stepDefinition('read'), stepDefinition('then')] })])
  const { run } = await open('rising')
  const pool = database.as('castellan_worker_open')
  const left = Promise.withResolvers<AdvanceOutcome>()
  const worker = await startWorker(
    {
      database: pool, log, clock: systemClock,
      callStep: async () => ({ output: 1, label: { level: 2, integrity: 'untrusted', lanes: ['open'] }, madeWithoutModel: false }),
      onLeft: (_run, outcome) => left.resolve(outcome),
    },
    { queue: 'runs_open', executor: 'open', concurrency: 1, pollMs: 20 },
  )
  assert.equal((await left.promise).outcome, 'moved')
  await worker.stop(500)
  assert.equal((await pool.pool.query('select 1 from run where id = $1', [run])).rowCount, 0, 'the open worker no longer sees it')
  const seen: string[] = []
  const [outcome] = await work(database, async ({ step }) => void seen.push(step.id))
  assert.equal(outcome!.outcome, 'succeeded')
  assert.deepEqual(seen, ['then'])
})

test('a run that another executor took does not take the late result', async (t) => {
  const { database, open } = await setUp(t, [jobDefinition({ name: 'taken' })])
  const { run } = await open('taken')
  const [outcome] = await work(database, async () => {
    await database.as('castellan_worker_private').pool.query('select run_claim($1, $2, 1000)', [run, 'another'])
    return 1
  })
  assert.equal(outcome!.outcome, 'fence_lost')
  assert.equal((await one<{ state: string }>(database, 'select state from run where id = $1', [run])).state, 'running')
})

test('a run that waits is parked without a queue job, and goes on in the same step', async (t) => {
  const { database, open } = await setUp(t, [jobDefinition({ name: 'waiting' })])
  const { run } = await open('waiting')
  const [parked] = await work(database, async () => {
    throw new Park('a decision')
  })
  assert.equal(parked!.outcome, 'parked')
  const { jobs } = await one<{ jobs: number }>(database, `select count(*)::int as jobs from pgboss.job where state in ('created', 'retry', 'active')`)
  assert.equal(jobs, 0)
  assert.equal((await one<{ state: string }>(database, 'select state from run where id = $1', [run])).state, 'parked')
})

test('a decision that comes while the step still asks for it is not slept through', async (t) => {
  const { database, open } = await setUp(t, [jobDefinition({ name: 'asking' })])
  const { run } = await open('asking')
  const { owner } = database
  await owner.pool.query(
    `insert into proposal (id, run_id, step_id, item_key, kind, connector, payload) values ($1, $2, 'only', 'x', 'mail', 'file', '{}')`, [newId(), run])
  const asked: number[] = []
  const outcomes = await work(database, async ({ attempt }) => {
    asked.push(attempt)
    if (attempt > 1) return 'decided'
    await owner.pool.query('select run_wake(id) from proposal')
    throw new Park('a decision')
  }, { times: 2 })
  assert.deepEqual(outcomes.map(({ outcome }) => outcome), ['retry', 'succeeded'])
  assert.deepEqual(asked, [1, 2])
})

test('a worker that comes back takes up what its predecessor held', async (t) => {
  const { database, open } = await setUp(t, [jobDefinition({ name: 'left' })])
  const { run } = await open('left')
  await takeRuns(database.as('castellan_worker_private'), { queue: 'runs_private', limit: 1, executor: 'test-castellan_worker_private', schema: newestVersion() })
  const [outcome] = await work(database, async ({ attempt }) => attempt)
  assert.equal(outcome!.outcome, 'succeeded')
  const { output } = await one<{ output: number }>(database, 'select output from step where run_id = $1', [run])
  assert.equal(output, 2)
})

test('a worker that slept so long that the queue gave it its own run again leaves the first attempt and keeps the second', async (t) => {
  const { database, open } = await setUp(t, [jobDefinition({ name: 'slept' })])
  await open('slept')
  const calls: { signal: AbortSignal; end: () => void }[] = []
  const called = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const left = Promise.withResolvers<void>()
  const worker = await startWorker(
    {
      database: database.as('castellan_worker_private'), log, clock: systemClock,
      callStep: async ({ signal, label }) => {
        const ended = Promise.withResolvers<void>()
        calls.push({ signal, end: ended.resolve })
        called[calls.length - 1]?.resolve()
        await ended.promise
        return { output: null, label, madeWithoutModel: false }
      },
      onLeft: () => left.resolve(),
    },
    { queue: 'runs_private', executor: 'sleeper', concurrency: 4, pollMs: 20 },
  )
  await called[0]!.promise
  await database.owner.pool.query(`update pgboss.job set state = 'retry', start_after = now() where state = 'active'`)
  await called[1]!.promise
  assert.equal(calls[0]!.signal.aborted, true, 'what the first attempt still does would be for nothing')
  calls[0]!.end()
  await left.promise
  assert.equal(calls[1]!.signal.aborted, false)
  const stopped = worker.stop(0) // ends what the worker holds
  await new Promise<void>((resolve) => (calls[1]!.signal.aborted ? resolve() : calls[1]!.signal.addEventListener('abort', () => resolve())))
  calls[1]!.end()
  await stopped
})

test('runs of a job that queues go one after the other', async (t) => {
  const { database, open } = await setUp(t, [jobDefinition({ name: 'queue', overlap: 'queue' })])
  const outcomes = [await open('queue', new Date(1)), await open('queue', new Date(2)), await open('queue', new Date(3))]
  assert.deepEqual(outcomes.map(({ outcome }) => outcome), ['opened', 'waiting', 'waiting'])
  let active = 0
  await work(database, async () => {
    assert.equal(++active, 1)
    await new Promise((resolve) => setImmediate(resolve))
    active--
  }, { times: 3 })
})

test('a worker that the database has outgrown leaves runs to a newer one, and says so once', async (t) => {
  const { database, open } = await setUp(t, [jobDefinition({ name: 'newer' })])
  await open('newer', new Date(1))
  const lines: string[] = []
  const said = Promise.withResolvers<void>()
  const listening = pino({ level: 'warn' }, { write: (line: string) => (lines.push(line), said.resolve()) })
  const pool = database.as('castellan_worker_private')
  const old = await startWorker(
    { database: pool, log: listening, clock: systemClock, callStep: () => assert.fail('it must not execute anything') },
    { queue: 'runs_private', executor: 'old', concurrency: 1, pollMs: 1, schema: 1 },
  )
  await said.promise
  const waiting = await one(database, `select r.state, q.state as queue_job from run r join pgboss.job q on q.data ->> 'run_id' = r.id::text`)
  assert.deepEqual(waiting, { state: 'queued', queue_job: 'created' })
  await open('newer', new Date(2))
  await work(database, async () => 1, { times: 2 }) // the old one could have looked many times meanwhile
  await old.stop(0)
  assert.equal(lines.length, 1)
  assert.match(JSON.parse(lines[0]!).msg, /needs a program that knows schema \d+, and this worker knows 1; it takes no more runs/)
})

test('a database that is gone in mid-step loses nothing: the step is done again, and its result is stored once', async (t) => {
  const { database, open } = await setUp(t, [jobDefinition({ name: 'cut' })])
  const { run } = await open('cut')
  const attempts: number[] = []
  const cut = async ({ attempt }: StepCall) => {
    attempts.push(attempt)
    if (attempt > 1) return attempt
    await database.owner.pool.query(`revoke connect on database ${database.name} from castellan_worker_private`)
    await database.owner.pool.query(`select pg_terminate_backend(pid) from pg_stat_activity where usename = 'castellan_worker_private' and datname = current_database()`)
    // back before the worker's next heartbeat, but after it could not store the result
    setImmediate(() => void database.owner.pool.query(`grant connect on database ${database.name} to castellan_worker_private`))
    return attempt
  }
  const [outcome] = await work(database, cut)
  assert.equal(outcome!.outcome, 'succeeded')
  const { state, output } = await one<{ state: string; output: number }>(database, 'select r.state, s.output from run r join step s on s.run_id = r.id where r.id = $1', [run])
  assert.deepEqual({ state, output: output === attempts.at(-1) }, { state: 'succeeded', output: true })
})

test('what a step logged is told to who keeps it elsewhere, whether the step went well or not', async (t) => {
  const { database, open } = await setUp(t, [jobDefinition({ name: 'talking', tries: 1, steps: [stepDefinition('well'), stepDefinition('badly')] })])
  await open('talking')
  const told: unknown[] = []
  const left = Promise.withResolvers<void>()
  const worker = await startWorker(
    {
      database: database.as('castellan_worker_private'), log, clock: systemClock,
      callStep: async ({ step, label, log: say }) => {
        say('info', `in ${step.id}`)
        if (step.id === 'badly') throw new Fault('refused', 'test.refused', 'no')
        return { output: 1, label, madeWithoutModel: false }
      },
      onLogged: ({ job }, { step, state }, lines) => void told.push([job, step, state, lines.map(({ message }) => message)]),
      onLeft: () => left.resolve(),
    },
    { queue: 'runs_private', executor: 'talker', concurrency: 1, pollMs: 20 },
  )
  await left.promise
  await worker.stop(1_000)
  assert.deepEqual(told, [['talking', 'well', 'succeeded', ['in well']], ['talking', 'badly', 'failed', ['in badly', 'no']]])
})
