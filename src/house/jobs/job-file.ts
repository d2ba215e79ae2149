import { z } from 'zod'
import { timezoneSchema } from '../settings/castellan-file.ts'
import { durationSchema, levelSchema, nameSchema } from '../settings/values.ts'
import { eventPatternSchema } from '../settings/webhooks.ts'

const schedule = z.strictObject({
  cron: z.string().min(1).max(200).describe('Minute, hour, day of month, month, day of week; with six fields the first is seconds.'),
  timezone: timezoneSchema.optional().describe('IANA name. Default: the timezone of castellan.yaml.'),
})

const text = z.string().max(20_000)

const step = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9_]{0,62}$/, 'the id of a step has small letters, digits and _, so that expressions can name it').describe('Its name within the job.'),
  uses: z.string().min(1).max(100).describe('A tool, e.g. mail.list.'),
  with: z.record(z.string(), z.unknown()).prefault({}).describe('What the tool is given. Values may hold expressions.'),
  if: text.optional().describe('An expression; the step is skipped unless it holds.'),
  timeout: durationSchema.prefault('2m').describe('For one try; at most the timeout of the run.'),
  fallback: z.enum(['extractive']).optional().describe('`extractive`: go on without a model, and say so. Only where the tool can.'),
})

/** jobs/NAME.yaml. */
export const jobSchema = z.strictObject({
  name: nameSchema.optional().describe('Default: the name of the file.'),
  summary: z.string().min(1).max(300).describe('One sentence for the pages.'),
  on: z
    .strictObject({
      schedule: z.array(schedule).max(20).prefault([]).describe('When it is due.'),
      webhook: nameSchema.optional().describe('One run for each event of this webhook; `input.event` says which. The run begins with the label of the webhook joined in.'),
      alerts: z.boolean().prefault(false).describe('One run for all security alerts that opened, or became critical, since the last; `input.alerts` has their ids. None for those that only inform.'),
      events: z.array(eventPatternSchema).max(50).prefault([]).describe('Only for events of these types, e.g. `push` or `invoice.*`. Left out: for all that the webhook takes in.'),
    })
    .prefault({})
    .describe('Left out: only by hand.'),
  since: z.iso
    .date()
    .or(z.iso.datetime({ offset: true }))
    .optional()
    .describe('Slots count from then on (ISO 8601), even if Castellan was not there yet. Default: from the first start.'),
  lane: nameSchema.prefault('private').describe('One of the lanes.'),
  label: levelSchema.prefault('P1').describe('The level that a run starts with; what it reads raises it.'),
  reads_up_to: levelSchema.prefault('P2').describe('The highest level that its tools may read. P3 local only has to be asked for.'),
  timeout: durationSchema.prefault('10m').describe('For the whole run.'),
  retry: z.strictObject({ tries: z.int().min(1).max(10).prefault(3).describe('How often a step is tried, with pauses of 2, 4, 8 … seconds.') }).prefault({}).describe('What happens after a failure.'),
  overlap: z
    .enum(['skip', 'queue', 'replace', 'allow'])
    .optional()
    .describe('When the run before is not finished: `skip` the slot, `queue` it, `replace` the run, or `allow` both. Default: `skip`; `queue` where a webhook starts it, and no event may be lost there.'),
  missed: z
    .enum(['skip', 'latest', 'all'])
    .prefault('latest')
    .describe('Slots that passed while Castellan was off: `skip` them, run the `latest`, or `all`. Each is recorded either way.'),
  grace: durationSchema.prefault('60s').describe('A slot later than this was missed.'),
  idempotency_key: text.optional().describe('An expression over slot and input; a second occurrence with the same key does not run.'),
  steps: z.array(step).min(1).max(100).describe('One after the other. What a step gave is stored before the next begins.'),
})

export type JobFile = z.output<typeof jobSchema>
