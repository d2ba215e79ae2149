import { z } from 'zod'
import { durationSchema } from './values.ts'

export const retentionSchema = z
  .strictObject({
    run_log: durationSchema.prefault('90d').describe('Log lines of runs.'),
    runs: durationSchema.prefault('400d').describe('Runs with their steps and occurrences.'),
    mail: durationSchema.prefault('400d').describe('Mirrored messages; the mailbox itself is never touched.'),
    model_calls: durationSchema.prefault('400d').describe('The ledger of model calls.'),
    outbox: durationSchema.prefault('3650d').describe('Proposals, drafts, decisions and receipts.'),
  })
  .prefault({})
  .describe('How long things are kept. The audit is kept for good.')
