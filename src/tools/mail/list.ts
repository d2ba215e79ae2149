import { z } from 'zod'
import { defineTool } from '../define-tool.ts'
import { momentOf, sinceSchema } from '../since.ts'
import { messageListSchema, summaryOf } from './message-summary.ts'

export const mailList = defineTool({
  name: 'mail.list',
  summary: 'List the messages of the mirrored mailbox, newest first',
  effect: 'read',
  input: z.strictObject({
    account: z.string().min(1).optional().describe('only this account of castellan.yaml'),
    since: sinceSchema.optional(),
    limit: z.int().min(1).max(500).default(100),
  }),
  output: messageListSchema,
  async run({ mailbox, clock }, { account, since, limit }) {
    const messages = await mailbox.list({ account, since: since === undefined ? undefined : momentOf(since, clock), limit })
    return { count: messages.length, messages: messages.map(summaryOf) }
  },
})
