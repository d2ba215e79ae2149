import { z } from 'zod'

export const spendBy = ['provider', 'model', 'lane', 'job', 'key', 'day'] as const
const time = z.iso.datetime()
const tokens = z.number().describe('Tokens.')

const spendLine = z.strictObject({
  name: z.string(),
  calls: z.int(),
  input_tokens: tokens,
  cached_tokens: tokens.describe('Of the input: what was in the cache.'),
  output_tokens: tokens,
  reasoning_tokens: tokens.describe('Of the output.'),
  cost_eur: z.number().describe('Of the calls whose price is known; calls under way with the most that they can cost.'),
  cost_usd: z.number(),
  unknown_price: z.int().describe('Calls whose price nobody knows.'),
})
export type SpendLine = z.output<typeof spendLine>

const ceilingView = z.strictObject({
  name: z.string().describe('The time, and for whom.'),
  per: z.enum(['day', 'month']),
  limit_eur: z.number(),
  spent_eur: z.number(),
  held_eur: z.number().describe('Set aside by a gate for calls to come, and for those under way beyond what they have cost.'),
  left_eur: z.number(),
  percent: z.number().describe('Spent, of the limit.'),
  resets_at: time,
  state: z.enum(['open', 'reached']),
})
export type CeilingView = z.output<typeof ceilingView>

export const spendView = z
  .strictObject({
    since: time,
    by: z.enum(spendBy),
    lines: z.array(spendLine),
    total_eur: z.number(),
    total_usd: z.number(),
    ceilings: z.array(ceilingView),
    eur_per_usd: z.number().nullable().describe("Today's; null before the first call that costs something."),
  })
  .meta({ id: 'Spend' })
export type SpendView = z.output<typeof spendView>
