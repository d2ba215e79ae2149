import { z } from 'zod'
import { labelView, time } from './label.ts'
import { runState } from './runs.ts'

export const fireView = z.strictObject({ at: time, cron: z.string(), timezone: z.string() }).meta({ id: 'Fire' })
export type FireView = z.output<typeof fireView>

const slotState = z.enum(['due', 'ran', 'skipped', 'missed', 'failed']).meta({ id: 'SlotState' })

export const stripSlot = z
  .strictObject({
    slot: time,
    origin: z.string(),
    state: slotState,
    reason: z.string().nullable(),
    run: z.uuid().nullable(),
    run_state: runState.nullable(),
  })
  .meta({ id: 'StripSlot', description: 'One slot of the strip beside a job.' })
export type StripSlot = z.output<typeof stripSlot>

export const jobSummary = z
  .strictObject({
    name: z.string(),
    summary: z.string(),
    state: z.enum(['active', 'paused', 'manual', 'undeclared']),
    lane: z.string(),
    label: labelView,
    schedules: z.array(z.strictObject({ cron: z.string(), timezone: z.string() })),
    next: time.nullable(),
    last: z.strictObject({ run: z.uuid(), state: runState, opened_at: time }).nullable(),
  })
  .meta({ id: 'JobSummary' })
export type JobSummary = z.output<typeof jobSummary>

export const jobLine = jobSummary
  .extend({
    fires: z.array(fireView).describe('The next five; none while it is paused.'),
    strip: z.array(stripSlot).describe('The last thirty slots, the oldest first.'),
  })
  .meta({ id: 'JobLine' })
export type JobLine = z.output<typeof jobLine>

export const jobDetail = jobSummary
  .extend({
    digest: z.string(),
    overlap: z.string(),
    missed: z.string(),
    tries: z.int(),
    reads_up_to: z.string().describe('A level with its word.'),
    timeout_ms: z.number(),
    grace_ms: z.number(),
    steps: z.array(z.strictObject({ id: z.string(), uses: z.string(), if: z.string().nullable(), fallback: z.string().nullable() })),
  })
  .meta({ id: 'JobDetail' })
export type JobDetail = z.output<typeof jobDetail>

export const occurrenceView = z
  .strictObject({
    id: z.uuid(),
    job: z.string(),
    slot: time,
    origin: z.string(),
    state: slotState,
    reason: z.string().nullable(),
    run: z.uuid().nullable(),
    run_state: runState.nullable(),
    closed_at: time.nullable(),
  })
  .meta({ id: 'Occurrence' })
export type OccurrenceView = z.output<typeof occurrenceView>

export const pausedJob = z.strictObject({ name: z.string(), state: z.enum(['paused', 'active']) }).meta({ id: 'PausedJob' })
