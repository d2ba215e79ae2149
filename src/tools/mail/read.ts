import { z } from 'zod'
import { defineTool } from '../define-tool.ts'
import { messageSummarySchema, summaryOf } from './message-summary.ts'

export const mailRead = defineTool({
  name: 'mail.read',
  summary: 'Read one message of the mirrored mailbox in full',
  effect: 'read',
  input: z.strictObject({ id: z.uuid().describe('as mail.list gives it') }),
  output: messageSummarySchema.omit({ attachments: true }).extend({
    text: z.string(),
    cc: z.array(z.object({ name: z.string(), address: z.string() })),
    attachments: z.array(z.object({ name: z.string(), type: z.string(), size: z.int(), sha256: z.string() })),
  }),
  async run({ mailbox }, { id }) {
    const message = await mailbox.read(id)
    const { envelope, text } = message
    return {
      ...summaryOf(message),
      text,
      cc: [...envelope.cc],
      attachments: [...envelope.attachments],
    }
  },
})
