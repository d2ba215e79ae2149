import type { Integrity, Level } from '../labels/index.ts'

/**
 * What the server's socket answers with, as it stands in the JSON. Times are ISO 8601 in UTC.
 * Clients import these as types only; a list's data is an array, and whatever has a state says so in `state`.
 */
export interface LabelView {
  level: Level
  integrity: Integrity
  lanes: string[]
  /** The level with its word, e.g. `P2 internal`. */
  word: string
}

export interface ErrorView {
  code: string
  message: string
  details?: Record<string, unknown>
}

export interface RunSummary {
  id: string
  job: string
  state: 'waiting' | 'queued' | 'running' | 'parked' | 'succeeded' | 'cancelled' | 'dead'
  origin: 'schedule' | 'manual' | 'redrive'
  slot: string
  lane: string
  label: LabelView
  made_without_model: boolean
  error: ErrorView | null
  opened_at: string
  claimed_at: string | null
  closed_at: string | null
}

export interface StepView {
  id: string
  position: number
  tool: string
  /** `pending`: its turn has not come. */
  state: 'pending' | 'started' | 'retrying' | 'waiting' | 'succeeded' | 'skipped' | 'failed'
  attempt: number
  failures: number
  started_at: string | null
  closed_at: string | null
  label: LabelView | null
  made_without_model: boolean
  error: ErrorView | null
  output: unknown
}

/** What a run asked the releaser for; `draft` once it is frozen. */
export interface ProposalView {
  id: string
  step: string
  kind: string
  connector: string
  state: string
  refusal: string | null
  draft: string | null
}

export interface RunDetail extends RunSummary {
  occurrence: { id: string; state: string; reason: string | null }
  digest: string
  executor: string | null
  not_before: string | null
  input: unknown
  steps: StepView[]
  proposals: ProposalView[]
}

export interface LogLine {
  at: string
  step: string | null
  level: string
  message: string
  fields: Record<string, unknown>
  label: LabelView
}

/** What became of the wish to run: `run` is the run that answers it, which for `skipped` and `duplicate` is an earlier one. */
export interface OpenedRun {
  id: string
  job: string
  outcome: 'opened' | 'waiting' | 'skipped' | 'duplicate'
  state: RunSummary['state']
}

/** A closed run that was taken up again; `behind`: the run of the same job that it waits for. */
export interface RedrivenRun {
  id: string
  state: 'queued' | 'waiting'
  behind: string | null
}

export interface JobSummary {
  name: string
  summary: string
  state: 'active' | 'paused' | 'manual' | 'undeclared'
  lane: string
  label: LabelView
  schedules: { cron: string; timezone: string }[]
  next: string | null
  last: { run: string; state: RunSummary['state']; opened_at: string } | null
}

export interface JobDetail extends JobSummary {
  digest: string
  overlap: string
  missed: string
  tries: number
  reads_up_to: LabelView['word']
  timeout_ms: number
  grace_ms: number
  steps: { id: string; uses: string; if: string | null; fallback: string | null }[]
}

export interface FireView {
  at: string
  cron: string
  timezone: string
}

export interface OccurrenceView {
  id: string
  job: string
  slot: string
  origin: string
  state: 'due' | 'ran' | 'skipped' | 'missed' | 'failed'
  reason: string | null
  run: string | null
  run_state: RunSummary['state'] | null
  closed_at: string | null
}

/** As much of a draft as the server may know; what is signed is shown by the releaser alone. */
export interface DraftLine {
  id: string
  kind: string
  connector: string
  account: string
  state: string
  risk: number
  job: string
  run: string
  label: LabelView
  frozen_at: string
  expires_at: string
}

export interface ToolView {
  name: string
  summary: string
  effect: 'read' | 'write' | 'propose'
  fallback: string | null
  input: Record<string, unknown>
  output: Record<string, unknown>
}

export interface ToolRunView {
  run: string
  tool: string
  state: RunSummary['state']
  output: unknown
  label: LabelView
  made_without_model: boolean
  error: ErrorView | null
}

export interface UpstreamView {
  name: string
  kind: string
  zone: string
  url: string
  /** When its gate last asked it what it has; `not asked`: nobody could. */
  state: 'answers' | 'silent' | 'not asked'
  /** Why it does not answer. */
  reason: string | null
  latency_ms: number | null
  /** What it has, each with the zone it really runs in. */
  models: { name: string; zone: string; embedding: boolean }[]
  /** The task types that are routed to it, each with the model it names. */
  routes: { task: string; model: string }[]
  /** Today's calls. */
  calls: number
  failed: number
  input_tokens: number
  output_tokens: number
  /** Null when the price of one of the calls is not known. */
  cost_eur: number | null
}

export interface ProblemView {
  file: string
  line: number
  column: number
  severity: 'error' | 'warning'
  what: string
  instead: string
}

export interface IsolationView {
  mode: 'separate-uids' | 'sandboxed' | 'demonstration'
  detail: string
}

export interface Check {
  id: string
  status: 'ok' | 'warn' | 'fail'
  what: string
  /** The command that mends it. */
  mend?: string
}

/** Slots that did not run, put together when they share job, state and reason. */
export interface NotRun {
  job: string
  state: 'missed' | 'skipped' | 'failed'
  reason: string
  count: number
  first: string
  last: string
}

export interface TodayView {
  state: 'needs_you' | 'calm'
  at: string
  since: string
  timezone: string
  /** `cost_eur` is null when the price of one of today's calls is not known. */
  counts: { needs_you: number; ran: number; missed: number; cost_eur: number | null; private_words_left: number }
  /** Why slots were missed; null when none was. */
  missed_why: string | null
  drafts: DraftLine[]
  /** Drafts that the operator put off: the moments at which they are back. */
  snoozed: string[]
  dead: RunSummary[]
  runs: RunSummary[]
  not_run: NotRun[]
  next: { job: string; at: string }[]
  /** Messages of level P3 that arrived since midnight, and so stay on this machine. */
  kept_aside: number
  problems: ProblemView[]
  isolation: IsolationView
}

export interface ProcessView {
  name: string
  state: string
  pid: number | null
  uid: number | null
  restarts: number
  isolation: string
  reason: string | null
  since: string
}

export interface StatusView {
  state: 'ready' | 'not_ready'
  version: string
  started_at: string
  pid: number
  house: { folder: string; name: string; digest: string | null; loaded_at: string | null; problems: ProblemView[] }
  isolation: IsolationView
  database: { version: string; schema: number }
  parts: PartView[]
  processes: ProcessView[]
  runs: { queued_open: number; queued_private: number; running: number; parked: number; waiting: number }
}

/** A part that readiness depends on. */
export interface PartView {
  name: string
  state: string
  ready: boolean
}

export interface ReadinessView {
  state: 'ready' | 'not_ready'
  parts: PartView[]
}
