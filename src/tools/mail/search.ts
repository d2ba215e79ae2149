import { z } from 'zod'
import { defineTool } from '../define-tool.ts'
import { momentOf, sinceSchema } from '../since.ts'
import { messageListSchema, summaryOf } from './message-summary.ts'

export const mailSearch = defineTool({
  name: 'mail.search',
  summary: 'Find messages in the mirrored mailbox by words or by a part of an address',
  effect: 'read',
  input: z.strictObject({
    query: z.string().trim().min(1).max(500).describe('words, "a phrase", -without, or a part of a name or address'),
    since: sinceSchema.optional(),
    limit: z.int().min(1).max(200).default(20),
  }),
  output: messageListSchema,
  async run({ mailbox, clock }, { query, since, limit }) {
    const messages = await mailbox.search({ query, since: since === undefined ? undefined : momentOf(since, clock), limit })
    return { count: messages.length, messages: messages.map(summaryOf) }
  },
})
