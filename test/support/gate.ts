import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { House, RouteTarget, RoutingSettings, SpendingSettings, Upstream } from '../../src/house/index.ts'
import { newId } from '../../src/kernel/ids.ts'
import type { Database } from '../../src/kernel/database/connect.ts'
import type { Boot, Host } from '../../src/processes/boot.ts'
import { start } from '../../src/processes/gate.ts'
import { testDatabase, type TestDatabase } from './database.ts'
import { declareJobs, jobDefinition } from './jobs.ts'

type GateProcess = 'gate-local' | 'gate-cloud'

/** A run that is being executed, and its key for the gates. */
export interface OpenedRun {
  readonly run: string
  readonly fence: string
  readonly key: string
}

export interface TestGate {
  readonly address: string
  readonly socket: string
  stop(deadlineMs?: number): Promise<void>
  /** As if the operator had changed castellan.yaml. */
  reload(models: House['settings']['models']): void
  /** Forgets which upstreams were limited or kept failing, as it does when the house changes. */
  forget(): void
}

/** A database with lanes `open`, `client` (both P1 to the cloud) and `private` (none), each allowing these upstreams, and a job for each. */
export async function gateDatabase(providers: readonly string[], t?: TestContext): Promise<TestDatabase> {
  const database = await testDatabase(t)
  await declareLanes(database.owner, providers)
  return database
}

export async function declareLanes(owner: Database, providers: readonly string[]): Promise<void> {
  const lanes = [['open', 'open', 1], ['client', 'open', 1], ['private', 'private', -1]] as const
  for (const [name, worker, clearance] of lanes) {
    await owner.pool.query('insert into lane (name, worker, cloud_clearance, providers) values ($1, $2, $3, $4) on conflict (name) do update set worker = $2, cloud_clearance = $3, providers = $4', [name, worker, clearance, providers])
  }
  await declareJobs(owner, lanes.map(([lane]) => jobDefinition({ name: `job-${lane}`, lane })))
}

/** What the release of a signed act leaves behind: this provider may see P2 of the lane; without a lane the machine is the operator's own. */
export async function clear(owner: Database, lane: string | null, upstream: string, url: string, expiresAt: Date | null = null): Promise<void> {
  await owner.pool.query('insert into clearance (id, lane, upstream, url, level, expires_at) values ($1, $2, $3, $4, $5, $6)', [newId(), lane, upstream, url, lane === null ? 3 : 2, expiresAt])
}

/** Opens a run of a lane, claims it as its worker, and issues its key; the label is raised to `level` before. */
export async function openRun(database: TestDatabase, lane: 'open' | 'client' | 'private', level: 0 | 1 | 2 | 3 = 1): Promise<OpenedRun> {
  const run = newId()
  await database.as('castellan_server').pool.query(`select run_open($1, $2, $3, $4, 'manual', null, '{}')`, [run, newId(), `job-${lane}`, new Date(Date.now() + Math.random() * 1e9)])
  await raise(database.owner, run, level)
  // each run belongs to one worker
  const worker = lane !== 'private' && level <= 1 ? 'castellan_worker_open' : 'castellan_worker_private'
  const { rows } = await database.as(worker).pool.query<{ fence: string }>(`select run_claim($1, 'test', 1000) ->> 'fence' as fence`, [run])
  return issueKey(database, run, rows[0]!.fence)
}

export async function issueKey(database: TestDatabase, run: string, fence: string): Promise<OpenedRun> {
  const { rows } = await database.as('castellan_worker_private').pool.query<{ key: string }>('select session_open($1, $2) as key', [run, fence])
  return { run, fence, key: rows[0]!.key }
}

/** What run_advance does to a run that has read something higher. */
export async function raise(owner: Database, run: string, level: number): Promise<void> {
  await owner.pool.query('update run set label_level = greatest(label_level, $2) where id = $1', [run, level])
}

/** Folders of gates that nobody stopped, since their test failed. */
const folders = new Set<string>()
process.once('exit', () => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })))

/** Each model is asked once, as often as it fails. */
const patientRouting: RoutingSettings = { retry: { tries: 1, longestWaitMs: 1_000 }, breaker: { failures: 1_000, restMs: 1_000 }, limits: {}, cache: null }

/** The message that a gate is started with. */
export async function gateBoot(
  database: TestDatabase,
  process: GateProcess,
  models: { readonly upstreams: readonly Upstream[]; readonly routes?: Readonly<Record<string, readonly RouteTarget[]>>; readonly spending?: Partial<SpendingSettings>; readonly routing?: Partial<RoutingSettings>; readonly batches?: House['settings']['batches']; readonly dictionary?: House['dictionary']; readonly lanes?: House['lanes'] },
  secrets: Record<string, string> = {},
  traces: House['settings']['telemetry']['traces'] = null,
): Promise<{ boot: Boot; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'castellan-gate-'))
  folders.add(folder)
  const settings = {
    ports: { server: 0, releaser: 0, gateLocal: 0, gateCloud: 0 },
    timezone: 'UTC',
    models: { upstreams: models.upstreams, routes: models.routes ?? {} },
    routing: { ...patientRouting, ...models.routing },
    batches: models.batches ?? { concurrent: 2, hours: null },
    spending: { budgets: [], prices: {}, microEurPerUsd: 900_000, allowUnknownPrice: true, ...models.spending },
    retention: { modelCallsMs: 86_400_000 },
    telemetry: { traces },
  } as unknown as House['settings']
  const boot: Boot = {
    process,
    instance: `${process}@test`,
    database: database.connection(process === 'gate-local' ? 'castellan_gate_local' : 'castellan_gate_cloud'),
    home: folder,
    folder,
    sockets: { server: '', releaser: '', gateLocal: join(folder, 'local.sock'), gateCloud: process === 'gate-cloud' ? join(folder, 'cloud.sock') : '', reader: '' },
    house: { folder, digest: 'test', settings, lanes: models.lanes ?? [], jobs: [], agents: [], prompts: {}, labelRules: [], dictionary: models.dictionary ?? [] },
    secrets,
    isolation: { mode: 'demonstration', detail: 'a test' },
  }
  return { boot, remove: () => rm(folder, { recursive: true }) }
}

/** Starts a gate in this process. */
export async function startGate(...given: Parameters<typeof gateBoot>): Promise<TestGate> {
  const { boot, remove } = await gateBoot(...given)
  const gate = await startFrom(boot)
  let stopped: Promise<void> | undefined
  return { ...gate, stop: (deadlineMs) => (stopped ??= gate.stop(deadlineMs).then(remove)) }
}

/** Starts a gate from a message, as `main.ts` would. */
export async function startFrom(boot: Boot): Promise<TestGate> {
  let onHouse: ((house: House) => void) | undefined
  const host: Host = {
    ready: () => {},
    wake: () => {},
    onWake: () => {},
    onHouse: (listener) => {
      onHouse = listener
    },
    request: async () => undefined,
  }
  const started = await start(boot, host)
  const { models } = boot.house.settings
  let changes = 0
  return {
    address: started.address,
    socket: boot.process === 'gate-local' ? boot.sockets.gateLocal : boot.sockets.gateCloud,
    stop: (deadlineMs = 2_000) => started.stop(deadlineMs),
    reload: (changed) => onHouse?.({ ...boot.house, settings: { ...boot.house.settings, models: changed } }),
    forget: () => onHouse?.({ ...boot.house, settings: { ...boot.house.settings, models: { ...models, routes: { ...models.routes, [`unused${(changes += 1)}`]: [] } } } }),
  }
}

export interface CallRow {
  readonly gate: string
  readonly task: string
  readonly upstream: string | null
  readonly model: string | null
  readonly zone: string | null
  readonly state: string
  readonly reason: string | null
  readonly input_tokens: number | null
  readonly output_tokens: number | null
  readonly label_level: number
  readonly label_lanes: string[]
  readonly closed: boolean
}

/** The ledger rows of a run, in order. */
export async function callsOf({ owner }: TestDatabase, run: string): Promise<CallRow[]> {
  const { rows } = await owner.pool.query<CallRow>(
    `select gate, task, upstream, model, zone, state, reason, input_tokens, output_tokens, label_level, label_lanes, closed_at is not null as closed
     from model_call where run_id = $1 order by opened_at, id`,
    [run],
  )
  return rows
}

/** The same, once all of them are closed: whoever has his answer may look before its row is. */
export async function closedCallsOf(database: TestDatabase, run: string): Promise<CallRow[]> {
  let rows = await callsOf(database, run)
  await until(async () => (rows = await callsOf(database, run)).every(({ closed }) => closed), 'the close of the calls')
  return rows
}

/** Resolves once no call is open any more. */
export async function allClosed({ owner }: TestDatabase): Promise<void> {
  await until(async () => (await owner.pool.query(`select 1 from model_call where state = 'open' limit 1`)).rowCount === 0, 'the close of all calls')
}

/** Kinds of the audit events about a run's model calls, in order. */
export async function auditOf({ owner }: TestDatabase, run: string): Promise<{ kind: string; actor: string; state: string | null }[]> {
  const { rows } = await owner.pool.query<{ kind: string; actor: string; state: string | null }>(
    `select kind, actor, detail ->> 'state' as state from audit_event where kind like 'call.%' and detail ->> 'run' = $1 order by id`,
    [run],
  )
  return rows
}

/** Waits for what happens just after a client is gone, when nobody is left to be told. */
export async function until(condition: () => Promise<boolean>, what = 'what was waited for'): Promise<void> {
  for (const deadline = performance.now() + 10_000; !(await condition()); await delay(2)) {
    if (performance.now() > deadline) throw new Error(`${what} did not happen`)
  }
}
