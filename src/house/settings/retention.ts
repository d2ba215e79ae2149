import { z } from 'zod'
import { durationSchema } from './values.ts'

export const retentionSchema = z
  .strictObject({
    run_log: durationSchema.prefault('90d').describe('Log lines of runs, from when they were written.'),
    runs: durationSchema.prefault('400d').describe('Runs with their steps and occurrences, from when they were closed. A run that a proposal or a model call still names stays as a name, without input and outputs.'),
    mail: durationSchema.prefault('400d').describe('Mirrored messages, from when they were mirrored. That they were is remembered; the mailbox itself is never touched.'),
    model_calls: durationSchema.prefault('400d').describe('The ledger of model calls, from when they were made.'),
    webhooks: durationSchema.prefault('90d').describe('Events of webhooks, from when they came. That they came is remembered longer, so that none is taken in twice.'),
    sources: durationSchema.prefault('90d').describe('Snapshots of sources and the ledger of what was asked, from when it was. A newer snapshot takes the place of an older at once.'),
    batches: durationSchema.prefault('30d').describe('Files of batches and the batches themselves with all their answers: files from when they were made, batches from when they were closed.'),
    alerts: durationSchema.prefault('400d').describe('Security alerts, from when they were closed.'),
    outbox: durationSchema.prefault('3650d').describe('Proposals, drafts, reasons of decisions and receipts, from when the last draft was closed. Nonces and signatures stay.'),
  })
  .prefault({})
  .describe('How long things are kept. Nothing of an open run or draft is removed, and what is over keeps the time that was set then. The audit, with hashes of all of it, is kept for good.')
