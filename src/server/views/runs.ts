import { z } from 'zod'
import { errorView, labelView, time } from './label.ts'

export const runState = z.enum(['waiting', 'queued', 'running', 'parked', 'succeeded', 'cancelled', 'dead']).meta({ id: 'RunState' })

export const runSummary = z
  .strictObject({
    id: z.uuid(),
    job: z.string(),
    state: runState,
    origin: z.enum(['schedule', 'manual', 'redrive', 'webhook', 'alert']),
    slot: time,
    lane: z.string(),
    label: labelView,
    made_without_model: z.boolean(),
    error: errorView.nullable(),
    opened_at: time,
    claimed_at: time.nullable(),
    closed_at: time.nullable(),
  })
  .meta({ id: 'RunSummary' })
export type RunSummary = z.output<typeof runSummary>

/** What is P3 stays out of the browser until it is asked for with `?reveal=1`. */
const withheld = z.boolean().describe('True: it is P3 local only and was left out; ask again with `reveal=1`.')

export const stepView = z
  .strictObject({
    id: z.string(),
    position: z.int(),
    tool: z.string(),
    state: z.enum(['pending', 'started', 'retrying', 'waiting', 'succeeded', 'skipped', 'failed']).describe('`pending`: its turn has not come.'),
    attempt: z.int(),
    failures: z.int(),
    started_at: time.nullable(),
    closed_at: time.nullable(),
    label: labelView.nullable(),
    made_without_model: z.boolean(),
    error: errorView.nullable(),
    output: z.unknown(),
    withheld,
  })
  .meta({ id: 'Step' })
export type StepView = z.output<typeof stepView>

export const proposalView = z
  .strictObject({
    id: z.uuid(),
    step: z.string(),
    kind: z.string(),
    connector: z.string(),
    state: z.string(),
    refusal: z.string().nullable(),
    draft: z.uuid().nullable().describe('Once it is frozen.'),
  })
  .meta({ id: 'Proposal', description: 'What a run asked the releaser for.' })
export type ProposalView = z.output<typeof proposalView>

export const runDetail = runSummary
  .extend({
    occurrence: z.strictObject({ id: z.uuid(), state: z.string(), reason: z.string().nullable() }),
    digest: z.string(),
    executor: z.string().nullable(),
    not_before: time.nullable(),
    input: z.unknown(),
    withheld,
    steps: z.array(stepView),
    proposals: z.array(proposalView),
  })
  .meta({ id: 'RunDetail' })
export type RunDetail = z.output<typeof runDetail>

export const logLine = z
  .strictObject({
    id: z.string().describe('Grows with each line of a run.'),
    at: time,
    step: z.string().nullable(),
    level: z.string(),
    message: z.string(),
    fields: z.record(z.string(), z.unknown()),
    label: labelView,
    withheld,
  })
  .meta({ id: 'LogLine' })
export type LogLine = z.output<typeof logLine>

export const openedRun = z
  .strictObject({
    id: z.uuid().describe('The run that answers the wish; for `skipped` and `duplicate` an earlier one.'),
    job: z.string(),
    outcome: z.enum(['opened', 'waiting', 'skipped', 'duplicate']),
    state: runState,
  })
  .meta({ id: 'OpenedRun' })
export type OpenedRun = z.output<typeof openedRun>

export const redrivenRun = z
  .strictObject({
    id: z.uuid(),
    state: z.enum(['queued', 'waiting']),
    behind: z.uuid().nullable().describe('The run of the same job that it waits for.'),
  })
  .meta({ id: 'RedrivenRun', description: 'A closed run that was taken up again.' })
export type RedrivenRun = z.output<typeof redrivenRun>

export const cancelledRun = z.strictObject({ id: z.uuid(), state: runState }).meta({ id: 'CancelledRun' })
