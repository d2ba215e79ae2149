import { z } from 'zod'
import { durationSchema, nameSchema } from './values.ts'

const most = z.int().min(1).max(1_000_000_000)
const perPeriod = (what: string) =>
  z.strictObject({
    minute: most.optional().describe(`${what} in any minute.`),
    hour: most.optional().describe(`${what} in any hour.`),
    day: most.optional().describe(`${what} in any 24 hours.`),
  }).prefault({})

/** The limits of one upstream. */
export const limitsSchema = z
  .strictObject({
    requests: perPeriod('Calls').describe('How many calls it is sent at most, e.g. `{ hour: 50, day: 500 }`.'),
    tokens: perPeriod('Tokens, read and written,').describe('How many tokens those calls take at most.'),
    concurrent: z.int().min(1).max(10_000).optional().describe('Calls that it is sent at the same time.'),
    wait: durationSchema.prefault('30s').describe('How long a call waits for room. `0`: not at all.'),
    when_full: z.enum(['wait', 'next']).prefault('wait').describe('`next`: a call goes on to the next model of its route at once, if there is one, and does not wait.'),
  })
  .describe('What it is sent at most. Kept over restarts.')

/** The keys of `models` that say how a call gets through. */
export const routingKeys = {
  retry: z
    .strictObject({
      tries: z.int().min(1).max(10).prefault(2).describe('How often a model is asked before the next one of the route is.'),
      longest_wait: durationSchema.prefault('10s').describe('How long a call waits before it asks again, at most. Who says `Retry-After` and wants more is not waited for.'),
    })
    .prefault({})
    .describe('What failed for a moment (no connection, 429, 5xx, broken off before the first word) is asked again.'),
  breaker: z
    .strictObject({
      failures: z.int().min(1).max(1_000).prefault(5).describe('Failures in a row after which a model of an upstream is left alone.'),
      rest: durationSchema.prefault('5s').describe('How long. If it fails again then: twice as long each time, up to 2m.'),
    })
    .prefault({})
    .describe('An upstream that keeps failing is left alone for a while, and calls go on to the next one at once.'),
  cache: z
    .strictObject({
      keep: durationSchema.prefault('10m').describe('How long an answer is given again.'),
      megabytes: z.int().min(1).max(4_096).prefault(64).describe('Memory of each gate for it.'),
      tasks: z.array(nameSchema).max(100).optional().describe('Only for these task types. Left out: for all.'),
    })
    .optional()
    .describe('Gives the same answer again to a call that is the same in every byte, label and lane, for nothing. Left out: no answer is kept. `cache-control: no-cache` asks anew.'),
}
