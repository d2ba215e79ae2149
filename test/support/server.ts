import { EventEmitter } from 'node:events'
import type { TestContext } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import type { House, JobDefinition } from '../../src/house/index.ts'
import { createRunOpener } from '../../src/jobs/index.ts'
import { createManualClock } from '../../src/kernel/clock.ts'
import type { GateReport } from '../../src/models/index.ts'
import type { QueueName } from '../../src/runs/index.ts'
import { advanceRuns, type AdvanceOutcome, type Claim, type StepResult } from '../../src/runs/run-store.ts'
import { createApp, createDoctor, createLoopbackApp, createReadiness, createSessions, databaseExaminations, type ServerDeps } from '../../src/server/index.ts'
import { checkSchema, newestVersion } from '../../src/kernel/database/migrate.ts'
import { testDatabase, type TestDatabase } from './database.ts'
import { declareJobs } from './jobs.ts'

export interface TestServer {
  readonly database: TestDatabase
  readonly app: FastifyInstance
  readonly loopback: FastifyInstance
  readonly deps: ServerDeps
  readonly clock: ReturnType<typeof createManualClock>
  readonly woken: QueueName[]
  /** What the scheduler last said. */
  tick: Date | undefined
  /** What the gates say of their upstreams. */
  gates: readonly GateReport[]
  get<T>(url: string): Promise<Answer<T>>
  post<T>(url: string, body?: unknown): Promise<Answer<T>>
  /** Executes what a worker would: each result in turn, until the run leaves or the results are used up. */
  execute(run: string, ...results: (Partial<StepResult> & { log?: string })[]): Promise<AdvanceOutcome | undefined>
  /** How many queue jobs name this run. */
  queued(run: string): Promise<number>
  requests(): Promise<{ subject: string; detail: Record<string, unknown> }[]>
}

export interface Answer<T> {
  readonly status: number
  readonly ok: boolean
  readonly data: T
  readonly error: { code: string; message: string; details?: Record<string, unknown> }
}

export const origin = 'http://127.0.0.1:7400'

export const tool = { name: 'text.echo', summary: 'Say it again', effect: 'read', fallback: null, input: { type: 'object' }, output: {} } as const

/** The server's app on a database of its own, as role castellan_server, without a worker. */
export async function testServer(t: TestContext, jobs: readonly JobDefinition[] = [], settings: Partial<House['settings']> = {}): Promise<TestServer> {
  const database = await testDatabase(t)
  await declareJobs(database.owner, jobs, new Date('2026-11-01T00:00:00Z'))
  const role = database.as('castellan_server')
  const clock = createManualClock(new Date())
  const log = pino({ level: 'silent' })
  const woken: QueueName[] = []
  const stopping = new AbortController()
  const house = {
    folder: '/house', digest: 'd', settings: { name: 'Test', timezone: 'Europe/Berlin', models: { upstreams: [], routes: {} }, spending: { budgets: [], prices: {}, microEurPerUsd: 900_000, allowUnknownPrice: false }, ports: { releaser: 7401 }, webhooks: [], sources: [], outbox: {}, signing: { origin: null, rpId: null }, ...settings },
    lanes: [], jobs, agents: [], prompts: {}, labelRules: [],
  } as unknown as House
  const readiness = createReadiness({ database: role, clock, checkSchema, scheduler: { lastTick: () => server.tick } })
  const deps: ServerDeps = {
    database: role, clock, log, readiness,
    open: createRunOpener(role, (name) => void woken.push(name)),
    wake: (name) => void woken.push(name),
    house: () => house,
    gates: async () => server.gates,
    isolation: { mode: 'demonstration', detail: 'one uid' },
    tools: {
      list: () => [tool],
      describe: () => tool,
    },
    doctor: createDoctor(databaseExaminations({ database: role, clock, checkSchema })),
    wakes: new EventEmitter(),
    sessions: createSessions({ database: role, clock, origin: () => origin }),
    stopping: stopping.signal,
    webhooks: { port: 7404, problemsOf: () => [] },
    secrets: { report: () => ({ states: [], problem: null }), take: async () => ({ state: 'taken', restarted: [], pending: [], needs_start: false }) },
    reload: async () => ({ fresh: true, digest: 'd', problems: [] }),
    checkAnswers: true,
  }
  const app = createApp(deps)
  const loopback = createLoopbackApp({ ...deps, origin: () => origin, pages: '/nowhere' })
  t.after(async () => {
    stopping.abort()
    await app.close()
  })

  async function call<T>(method: 'GET' | 'POST', url: string, payload?: unknown): Promise<Answer<T>> {
    const response = await app.inject({ method, url, ...(payload !== undefined && { payload: payload as object }) })
    return { status: response.statusCode, ...response.json<Omit<Answer<T>, 'status'>>() }
  }

  const server: TestServer = {
    database, app, loopback, deps, clock, woken,
    tick: clock.now(),
    gates: [],
    get: (url) => call('GET', url),
    post: (url, body) => call('POST', url, body),
    async execute(run, ...results) {
      const { rows: [its] } = await database.owner.pool.query<{ queue: string }>('select queue_of(lane, label_level, label_lanes) as queue from run where id = $1', [run])
      const taker = database.as(its!.queue === 'runs_open' ? 'castellan_worker_open' : 'castellan_worker_private')
      const worker = database.as('castellan_worker_private')
      const { rows } = await taker.pool.query<{ claim: Claim & { outcome: string } }>('select run_claim($1, $2, $3) as claim', [run, 'test', newestVersion()])
      const claim = { ...rows[0]!.claim, run }
      if (claim.outcome !== 'claimed') throw new Error(`not claimed: ${JSON.stringify(claim)}`)
      let step = claim.next.id
      let outcome: AdvanceOutcome | undefined
      for (const { log: line, ...result } of results) {
        const lines = line === undefined ? [] : [{ at: new Date().toISOString(), level: 'info' as const, message: line }]
        const [advanced] = await advanceRuns(worker, [{
          claim, log: lines,
          result: { step, state: 'succeeded', output: {}, label: { level: 1, integrity: 'trusted', lanes: [] }, ...result },
        }])
        outcome = advanced
        if (advanced?.outcome !== 'next') return advanced
        step = advanced.next.id
      }
      return outcome
    },
    async queued(run) {
      const { rows } = await database.owner.pool.query<{ count: number }>(`select count(*)::int as count from pgboss.job where data ->> 'run_id' = $1`, [run])
      return rows[0]!.count
    },
    async requests() {
      const { rows } = await database.owner.pool.query<{ subject: string; detail: Record<string, unknown> }>(
        `select subject, detail from audit_event where kind = 'operator.request' order by id`)
      return rows
    },
  }
  return server
}
