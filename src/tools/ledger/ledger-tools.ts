import { z } from 'zod'
import { defineTool } from '../define-tool.ts'
import { momentOf, sinceSchema } from '../since.ts'
import type { ToolContext } from '../tool-context.ts'
import type { LedgerQuery } from './ledger.ts'

const input = z.strictObject({ since: sinceSchema.default('24h'), limit: z.int().min(1).max(1_000).default(200) })
const moment = z.string().describe('ISO 8601')
const occurrence = z.object({
  job: z.string(), slot: moment, origin: z.string(), state: z.string(), reason: z.string().nullable(), closedAt: moment.nullable(),
})

function query({ clock }: ToolContext, { since, limit }: z.output<typeof input>): LedgerQuery {
  return { since: momentOf(since, clock), limit }
}

export const ledgerRuns = defineTool({
  name: 'ledger.runs',
  summary: 'List the runs: job, state, and the code of what ended them',
  effect: 'read',
  input,
  output: z.object({
    count: z.int(),
    runs: z.array(z.object({
      id: z.uuid(), job: z.string(), lane: z.string(), state: z.string(), error: z.string().nullable(), madeWithoutModel: z.boolean(),
      openedAt: moment, closedAt: moment.nullable(),
    })),
  }),
  async run(context, given) {
    const runs = (await context.ledger.runs(query(context, given)))
      .map((row) => ({ ...row, openedAt: row.openedAt.toISOString(), closedAt: row.closedAt?.toISOString() ?? null }))
    return { count: runs.length, runs }
  },
})

export const ledgerOccurrences = defineTool({
  name: 'ledger.occurrences',
  summary: 'List every due slot: whether it ran, or why not',
  effect: 'read',
  input,
  output: z.object({ count: z.int(), occurrences: z.array(occurrence) }),
  async run(context, given) {
    const occurrences = (await context.ledger.occurrences(query(context, given))).map(shown)
    return { count: occurrences.length, occurrences }
  },
})

export const ledgerLate = defineTool({
  name: 'ledger.late',
  summary: 'List the slots that did not run as they should: missed, skipped, failed, or due for over an hour',
  effect: 'read',
  input,
  output: z.object({ count: z.int(), occurrences: z.array(occurrence) }),
  async run(context, given) {
    const occurrences = (await context.ledger.late(query(context, given))).map(shown)
    return { count: occurrences.length, occurrences }
  },
})

export const ledgerDrafts = defineTool({
  name: 'ledger.drafts',
  summary: 'List what was proposed by any job, and what became of it',
  effect: 'read',
  input,
  output: z.object({
    count: z.int(),
    drafts: z.array(z.object({
      proposal: z.uuid(), run: z.uuid(), job: z.string(), kind: z.string(), connector: z.string(), state: z.string(), proposedAt: moment,
    })),
  }),
  async run(context, given) {
    const drafts = (await context.ledger.drafts(query(context, given))).map((row) => ({ ...row, proposedAt: row.proposedAt.toISOString() }))
    return { count: drafts.length, drafts }
  },
})

export const ledgerCalls = defineTool({
  name: 'ledger.calls',
  summary: 'Add up the model calls by task, model and outcome, with tokens and cost',
  effect: 'read',
  input,
  output: z.object({
    count: z.int(),
    calls: z.array(z.object({
      task: z.string(), gate: z.string(), upstream: z.string().nullable(), model: z.string().nullable(), state: z.string(),
      calls: z.int(), inputTokens: z.int(), outputTokens: z.int(), costEur: z.number().nullable().describe('null: a price is not known'),
    })),
  }),
  async run(context, given) {
    const calls = [...(await context.ledger.calls(query(context, given)))]
    return { count: calls.length, calls }
  },
})

function shown(row: { job: string; slot: Date; origin: string; state: string; reason: string | null; closedAt: Date | null }): z.output<typeof occurrence> {
  return { ...row, slot: row.slot.toISOString(), closedAt: row.closedAt?.toISOString() ?? null }
}
