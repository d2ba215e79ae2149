import { sql } from 'kysely'
import type { Database } from '../../kernel/database/connect.ts'
import { Fault } from '../../kernel/fault.ts'
import type { ErrorView, LogLine, ProposalView, RunDetail, RunSummary, StepView } from '../api.ts'
import { iso, labelView, type LabelRow } from './label-view.ts'

export interface RunFilter {
  readonly job?: string | undefined
  readonly state?: RunSummary['state'] | undefined
  readonly since?: Date | undefined
  /** Runs of single tools that the operator called are left out. */
  readonly withoutTools?: boolean
  readonly limit: number
}

/** As long as what tables show. */
const longPiece = 8
const newest = sql`(select id from run order by id desc limit 20000)`
const everyRun = sql`run`
const closedStates = new Set<string>(['succeeded', 'cancelled', 'dead'])

/** Runs, the newest first: ids sort by the time they were made. */
export async function listRuns(database: Database, filter: RunFilter): Promise<RunSummary[]> {
  let query = selectRuns(database).orderBy('r.id', 'desc').limit(filter.limit)
  if (filter.job !== undefined) query = query.where('r.job', '=', filter.job)
  if (filter.state !== undefined) query = query.where('r.state', '=', filter.state)
  // said again in the words of the index that holds them: a look at all runs would be for a few
  if (filter.state === 'dead') query = query.where('r.closed_at', 'is not', null).where('r.error', 'is not', null)
  if (filter.since !== undefined) query = query.where('r.id', '>=', firstIdOf(filter.since))
  if (filter.withoutTools) query = query.where('r.job', 'not like', 'tool.%')
  return (await query.execute()).map(runSummary)
}

/** A run with its timeline: every step of its definition, those to come as `pending`. @throws Fault `run.missing` */
export async function findRun(database: Database, id: string): Promise<RunDetail> {
  const run = await selectRuns(database)
    .innerJoin('job_definition as d', 'd.digest', 'r.digest')
    .select(['o.id as occurrence_id', 'o.state as occurrence_state', 'o.reason', 'r.digest', 'r.executor', 'r.not_before', 'r.input', 'd.definition'])
    .where('r.id', '=', id)
    .executeTakeFirst()
  if (run === undefined) throw missingRun(id)
  const declared = (run.definition as { steps: { id: string; uses: string }[] }).steps
  const [steps, proposals] = await Promise.all([readSteps(database, id, declared), readProposals(database, id)])
  return {
    ...runSummary(run),
    occurrence: { id: run.occurrence_id, state: run.occurrence_state, reason: run.reason },
    digest: run.digest,
    executor: run.executor,
    not_before: iso(run.not_before),
    input: run.input,
    withheld: false,
    steps,
    proposals,
  }
}

/** What the steps of a run logged last, in order. */
export async function readLog(database: Database, id: string, limit: number): Promise<LogLine[]> {
  const rows = await selectLog(database, id).orderBy('id', 'desc').limit(limit).execute()
  return rows.reverse().map(logLine)
}

/** What the steps of a run logged after a line that is known, in order. Lines of one run are written one after the other, so none comes late. */
export async function readLogAfter(database: Database, id: string, after: number, limit: number): Promise<LogLine[]> {
  const rows = await selectLog(database, id).where('id', '>', after).orderBy('id').limit(limit).execute()
  return rows.map(logLine)
}

function selectLog(database: Database, run: string) {
  return database.kysely
    .selectFrom('run_log')
    .select(['id', 'at', 'step', 'level', 'message', 'fields', 'label_level', 'label_integrity', 'label_lanes'])
    .where('run_id', '=', run)
}

function logLine({ id, at, step, level, message, fields, ...label }: Awaited<ReturnType<ReturnType<typeof selectLog>['execute']>>[number]): LogLine {
  return { id: String(id), at: iso(at), step, level, message, fields: fields as Record<string, unknown>, label: labelView(label), withheld: false }
}

/** Is the run closed? @throws Fault `run.missing` */
export async function isClosed(database: Database, id: string): Promise<{ closed: boolean; state: RunSummary['state'] }> {
  const row = await database.kysely.selectFrom('run').select('state').where('id', '=', id).executeTakeFirst()
  if (row === undefined) throw missingRun(id)
  return { closed: closedStates.has(row.state), state: row.state as RunSummary['state'] }
}

/** The run that a whole id, or enough of its beginning or end, stands for. @throws Fault `run.missing`, `run.ambiguous` */
export async function resolveRun(database: Database, text: string): Promise<string> {
  const wanted = text.toLowerCase()
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(wanted)) return wanted
  if (!/^[0-9a-f-]{4,35}$/.test(wanted)) {
    throw new Fault('invalid', 'run.id', `"${text}" is no run id: give it whole, or at least four characters of its beginning or end`)
  }
  const meant = (among: typeof newest) =>
    sql<{ id: string }>`select id::text as id from ${among} as r where id::text like ${`%${wanted}`} or id::text like ${`${wanted}%`} limit 2`.execute(database.kysely)
  // nearly always one of the newest, and a longer piece is hardly that of two; a look at all runs takes a second per million
  const recent = wanted.length >= longPiece ? (await meant(newest)).rows : []
  const rows = recent.length > 0 ? recent : (await meant(everyRun)).rows
  if (rows.length === 0) throw missingRun(text)
  if (rows.length > 1) throw new Fault('conflict', 'run.ambiguous', `more than one run is meant by "${text}"; give more of its id`)
  return rows[0]!.id
}

function selectRuns(database: Database) {
  return database.kysely
    .selectFrom('run as r')
    .innerJoin('occurrence as o', 'o.id', 'r.occurrence_id')
    .select(['r.id', 'r.job', 'r.state', 'o.origin', 'o.slot', 'r.lane', 'r.made_without_model', 'r.error', 'r.opened_at', 'r.claimed_at', 'r.closed_at'])
    .select(['r.label_level', 'r.label_integrity', 'r.label_lanes'])
}

type RunRow = Awaited<ReturnType<ReturnType<typeof selectRuns>['execute']>>[number]

function runSummary(row: RunRow): RunSummary {
  return {
    id: row.id,
    job: row.job,
    state: row.state as RunSummary['state'],
    origin: row.origin as RunSummary['origin'],
    slot: iso(row.slot),
    lane: row.lane,
    label: labelView(row),
    made_without_model: row.made_without_model,
    error: errorView(row.error),
    opened_at: iso(row.opened_at),
    claimed_at: iso(row.claimed_at),
    closed_at: iso(row.closed_at),
  }
}

async function readSteps(database: Database, run: string, declared: readonly { id: string; uses: string }[]): Promise<StepView[]> {
  const rows = await database.kysely.selectFrom('step').selectAll().where('run_id', '=', run).execute()
  const known = new Map(rows.map((row) => [row.id, row]))
  return declared.map(({ id, uses }, position): StepView => {
    const row = known.get(id)
    if (row === undefined) {
      const nothing = { started_at: null, closed_at: null, label: null, made_without_model: false, error: null, output: null, withheld: false }
      return { id, position, tool: uses, state: 'pending', attempt: 0, failures: 0, ...nothing }
    }
    return {
      id,
      position,
      tool: row.tool,
      state: row.state as StepView['state'],
      attempt: row.attempt,
      failures: row.failures,
      started_at: iso(row.started_at),
      closed_at: iso(row.closed_at),
      label: labelView(row as LabelRow),
      made_without_model: row.made_without_model,
      error: errorView(row.error),
      output: row.output,
      withheld: false,
    }
  })
}

/** The latest draft of a proposal speaks for it. */
async function readProposals(database: Database, run: string): Promise<ProposalView[]> {
  return database.kysely
    .selectFrom('proposal as p')
    .leftJoinLateral(
      (inner) => inner.selectFrom('draft').select(['id', 'state']).whereRef('proposal_id', '=', 'p.id').orderBy('frozen_at', 'desc').orderBy('id', 'desc').limit(1).as('d'),
      (join) => join.onTrue(),
    )
    .select(['p.id', 'p.step_id as step', 'p.kind', 'p.connector', 'p.refusal', 'd.id as draft'])
    .select((column) => column.fn.coalesce('d.state', 'p.state').as('state'))
    .where('p.run_id', '=', run)
    .orderBy('p.proposed_at')
    .execute()
}

/** The lowest UUIDv7 of a moment. */
function firstIdOf(time: Date): string {
  const hex = time.getTime().toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`
}

function errorView(error: unknown): ErrorView | null {
  if (error === null || typeof error !== 'object') return null
  const { code, message, ...details } = error as Record<string, unknown>
  return { code: String(code ?? 'unknown'), message: String(message ?? ''), ...(Object.keys(details).length > 0 && { details }) }
}

function missingRun(id: string): Fault {
  return new Fault('missing', 'run.missing', `there is no run "${id}"; \`castellan run list\` shows the latest`)
}
