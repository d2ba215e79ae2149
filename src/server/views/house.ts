import { z } from 'zod'
import { alertCounts } from './alerts.ts'
import { time } from './label.ts'

export const problemView = z
  .strictObject({
    file: z.string(),
    line: z.int(),
    column: z.int(),
    severity: z.enum(['error', 'warning']),
    what: z.string(),
    instead: z.string(),
  })
  .meta({ id: 'Problem' })
export type ProblemView = z.output<typeof problemView>

export const isolationView = z
  .strictObject({ mode: z.enum(['separate-uids', 'sandboxed', 'demonstration']), detail: z.string() })
  .meta({ id: 'Isolation' })
export type IsolationView = z.output<typeof isolationView>

export const checkView = z
  .strictObject({
    id: z.string(),
    status: z.enum(['ok', 'warn', 'fail']),
    what: z.string(),
    mend: z.string().optional().describe('The command that mends it.'),
  })
  .meta({ id: 'Check' })
export type Check = z.output<typeof checkView>

export const alertView = z
  .strictObject({ kind: z.enum(['signin.locked', 'budget.alert', 'secret.due']), at: time, what: z.string() })
  .meta({ id: 'Alert', description: 'Something that the operator should know of, since midnight.' })
export type AlertView = z.output<typeof alertView>

export const processView = z
  .strictObject({
    name: z.string(),
    state: z.string(),
    pid: z.int().nullable(),
    uid: z.int().nullable(),
    restarts: z.int(),
    isolation: z.string(),
    reason: z.string().nullable(),
    since: time,
  })
  .meta({ id: 'Process' })
export type ProcessView = z.output<typeof processView>

const partView = z.strictObject({ name: z.string(), state: z.string(), ready: z.boolean() }).meta({ id: 'Part', description: 'A part that readiness depends on.' })
export type PartView = z.output<typeof partView>

const readyState = z.enum(['ready', 'not_ready'])
export const readinessView = z.strictObject({ state: readyState, parts: z.array(partView) }).meta({ id: 'Readiness' })
export type ReadinessView = z.output<typeof readinessView>

export const statusView = z
  .strictObject({
    state: readyState,
    version: z.string(),
    started_at: time,
    pid: z.int(),
    house: z.strictObject({
      folder: z.string(),
      name: z.string(),
      digest: z.string().nullable(),
      loaded_at: time.nullable(),
      problems: z.array(problemView),
    }),
    isolation: isolationView,
    database: z.strictObject({ version: z.string(), schema: z.int() }),
    parts: z.array(partView),
    processes: z.array(processView),
    webhooks: z.strictObject({ port: z.int().nullable(), declared: z.int(), stored_today: z.int(), refused_today: z.int() }).describe('Deliveries since midnight in UTC; no port: nothing listens.'),
    runs: z.strictObject({ queued_open: z.int(), queued_private: z.int(), running: z.int(), parked: z.int(), waiting: z.int() }),
    alerts_open: alertCounts,
    alerts_silent: z.strictObject({ why: z.string(), mend: z.string() }).nullable().describe('Why security alerts reach nobody who does not look, and the command that mends it; null: they reach you.'),
    unsigned_machines: z.array(z.string()).describe('Upstreams that castellan.yaml calls machines of your own, and that count as of the mesh until you sign that.'),
    fence: z.strictObject({ at: time, why: z.string(), waiting: z.array(z.string()).describe('What counts again with the operator\'s word, e.g. "2 clearances".') }).nullable().describe('Since when nothing leaves, and no clearance, key of a program or standing order counts, because the database is older than what left; null: they do.'),
  })
  .meta({ id: 'Status' })
export type StatusView = z.output<typeof statusView>

export const houseView = statusView
  .extend({ sign_origin: z.url().describe('Where drafts are signed.'), timezone: z.string(), alerts: z.array(alertView) })
  .meta({ id: 'House' })
export type HouseView = z.output<typeof houseView>

export const reloadedView = z
  .strictObject({ fresh: z.boolean().describe('False: the folder has errors, and the last good house goes on.'), digest: z.string(), problems: z.array(problemView) })
  .meta({ id: 'Reloaded' })
export type Reloaded = z.output<typeof reloadedView>
