import { z } from 'zod'
import { defineTool } from '../define-tool.ts'
import { momentOf, sinceSchema } from '../since.ts'

export const outboxList = defineTool({
  name: 'outbox.list',
  summary: 'List what was proposed and where it stands',
  effect: 'read',
  input: z.strictObject({ since: sinceSchema.optional(), limit: z.int().min(1).max(500).default(100) }),
  output: z.object({
    count: z.int(),
    proposals: z.array(z.object({
      id: z.uuid(), run: z.uuid(), step: z.string(), key: z.string(), kind: z.string(), connector: z.string(), state: z.string(), proposedAt: z.string(),
    })),
  }),
  async run({ proposals: outbox, clock }, { since, limit }) {
    const rows = await outbox.list({ since: since === undefined ? undefined : momentOf(since, clock), limit })
    return { count: rows.length, proposals: rows.map((row) => ({ ...row, proposedAt: row.proposedAt.toISOString() })) }
  },
})
