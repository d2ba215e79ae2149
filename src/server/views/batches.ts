import { z } from 'zod'
import { labelView, time } from './label.ts'

export const batchState = z.enum(['validating', 'in_progress', 'finalizing', 'cancelling', 'completed', 'failed', 'expired', 'cancelled'])

export const batchView = z
  .strictObject({
    id: z.string().describe('As the program that sent it in knows it: batch_ and 32 digits.'),
    state: batchState,
    key: z.string().describe('The name of the key that sent it in.'),
    gate: z.enum(['local', 'cloud']),
    endpoint: z.string(),
    task: z.string().nullable(),
    total: z.int().describe('Lines.'),
    answered: z.int(),
    failed: z.int(),
    calls: z.int().describe('Calls of the ledger, also those that were refused for want of money or room.'),
    cost_eur: z.number().nullable().describe('So far; null when the price of one of the calls is not known.'),
    opened_at: time,
    window_ends_at: time.describe('Until when its lines are asked.'),
    closed_at: time.nullable(),
    label: labelView,
  })
  .meta({ id: 'Batch' })
export type BatchView = z.output<typeof batchView>

export const cancelledBatch = z.strictObject({ id: z.string(), state: z.literal('cancelling') }).meta({ id: 'CancelledBatch' })
