import { z } from 'zod'
import { nameSchema } from './values.ts'

const rate = z.number().min(0).max(100_000)
const rates = {
  input: rate.describe('USD for a million tokens of input.'),
  output: rate.describe('USD for a million tokens of output, reasoning included.'),
  cache_read: rate.optional().describe('Of input that was in the cache. Left out: the price of input.'),
  cache_write: rate.optional().describe('Of input that is put into the cache. Left out: the price of input.'),
}

const price = z.strictObject({
  ...rates,
  above_200k: z.strictObject(rates).optional().describe('For calls with more than 200,000 tokens of input.'),
  output_limit: z.int().min(0).max(10_000_000).optional().describe('Tokens that an answer can have at most; so much is reserved for a call that names no limit. Left out: 32000.'),
})

/** What a price is for: `gpt-5`, `cloud/gpt-5`, `cloud/*`. */
const pricedSchema = z.string().max(200).regex(/^[^\s*]*\*?$/, 'a price is for a model, for upstream/model, or for all whose name begins as written before a * at the end')

const budget = z.strictObject({
  per: z.enum(['day', 'month']).describe('From midnight, or from the first of the month, in the time zone of the house.'),
  eur: z.number().min(0).max(1_000_000).describe('EUR that may be spent in that time. `0` lets only models through that cost nothing.'),
  lane: nameSchema.optional().describe('Only for what belongs to this lane.'),
  provider: nameSchema.optional().describe('Only for this upstream.'),
  job: nameSchema.optional().describe('Only for runs of this job.'),
  agent: nameSchema.optional().describe('Only for calls of this agent.'),
  key: z.string().min(1).max(100).optional().describe('Only for calls with this client key.'),
})

/** The keys of `models` that are about money. */
export const spendingKeys = {
  budgets: z
    .array(budget)
    .max(100)
    .prefault([])
    .describe('Ceilings on what cloud models cost. Every one that fits a call must have room for it. Models of your own machines cost nothing and go on.'),
  prices: z
    .record(pricedSchema, price)
    .prefault({})
    .describe('Your own prices by `model`, `upstream/model`, or the beginning of one with `*`. They go before the table that comes with Castellan, which was not compared with the providers’ pages: write down what you really pay.'),
  eur_per_usd: z.number().min(0.01).max(100).prefault(0.9).describe('EUR for one USD. Of each day the rate is kept with which its first call was reckoned.'),
  allow_unknown_price: z.boolean().prefault(false).describe('Lets calls of cloud models through whose price nobody knows. No ceiling counts them.'),
}
