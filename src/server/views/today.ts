import { z } from 'zod'
import { securityAlert } from './alerts.ts'
import { draftLine } from './drafts.ts'
import { alertView, isolationView, problemView } from './house.ts'
import { labelView, time } from './label.ts'
import { runSummary } from './runs.ts'

export const notRun = z
  .strictObject({
    job: z.string(),
    state: z.enum(['missed', 'skipped', 'failed']),
    reason: z.string(),
    count: z.int(),
    first: time,
    last: time,
  })
  .meta({ id: 'NotRun', description: 'Slots that did not run, put together when they share job, state and reason.' })
export type NotRun = z.output<typeof notRun>

export const briefView = z
  .strictObject({
    text: z.string().nullable().describe('Markdown; null when it is P3 local only and was left out.'),
    made_at: time,
    job: z.string(),
    run: z.uuid(),
    label: labelView,
    made_without_model: z.boolean(),
  })
  .meta({ id: 'Brief', description: 'The output of the newest step named `brief`.' })
export type BriefView = z.output<typeof briefView>

export const todayView = z
  .strictObject({
    state: z.enum(['needs_you', 'calm']),
    at: time,
    since: time,
    timezone: z.string(),
    counts: z.strictObject({
      needs_you: z.int(),
      ran: z.int(),
      missed: z.int(),
      cost_eur: z.number().nullable().describe("Null when the price of one of today's calls is not known."),
      private_words_left: z.int(),
    }),
    missed_why: z.string().nullable().describe('Null when no slot was missed.'),
    brief: briefView.nullable(),
    drafts: z.array(draftLine).describe('Those that need the operator, the soonest expiry first: at most twenty.'),
    more_drafts: z.int().describe('How many more there are.'),
    snoozed: z.array(time).describe('Drafts that the operator put off: the moments at which they are back, the soonest first.'),
    dead: z.array(runSummary),
    runs: z.array(runSummary),
    not_run: z.array(notRun),
    next: z.array(z.strictObject({ job: z.string(), at: time })),
    kept_aside: z.int().describe('Messages of level P3 that arrived since midnight, and so stay on this machine.'),
    problems: z.array(problemView),
    alerts: z.array(alertView),
    security_alerts: z.array(securityAlert).describe('Those that nobody has acknowledged, the gravest first: at most twenty, and none that only informs.'),
    more_security_alerts: z.int().describe('How many more there are.'),
    isolation: isolationView,
  })
  .meta({ id: 'Today' })
export type TodayView = z.output<typeof todayView>
