import { z } from 'zod'
import type { Message } from './mailbox.ts'

const addressSchema = z.object({ name: z.string(), address: z.string() })
const summaryTextLength = 4_000

/** A message as the tools hand it on. */
export const messageSummarySchema = z.object({
  id: z.uuid(),
  from: addressSchema,
  to: z.array(addressSchema),
  replyTo: z.array(addressSchema),
  subject: z.string(),
  date: z.string().describe('as the sender says, else when it arrived'),
  receivedAt: z.string(),
  snippet: z.string(),
  text: z.string().describe(`the first ${summaryTextLength} characters`),
  attachments: z.array(z.object({ name: z.string(), type: z.string(), size: z.int() })),
  listUnsubscribe: z.boolean(),
  autoSubmitted: z.boolean(),
  warnings: z.array(z.string()),
  level: z.int().min(0).max(3),
  messageId: z.string().nullable(),
  inReplyTo: z.string().nullable(),
  references: z.array(z.string()).describe('the conversation so far, the oldest first'),
  parseError: z.object({ code: z.string(), message: z.string() }).nullable(),
})
export type MessageSummary = z.infer<typeof messageSummarySchema>

export const messageListSchema = z.object({ count: z.int(), messages: z.array(messageSummarySchema) })

/** What a list shows of a message. */
export function summaryOf(message: Message): MessageSummary {
  const { envelope } = message
  return {
    id: message.id,
    from: envelope.from,
    to: [...envelope.to],
    replyTo: [...envelope.replyTo],
    subject: envelope.subject,
    date: envelope.date ?? message.receivedAt.toISOString(),
    receivedAt: message.receivedAt.toISOString(),
    snippet: envelope.snippet,
    text: message.text.slice(0, summaryTextLength).toWellFormed(),
    attachments: envelope.attachments.map(({ name, type, size }) => ({ name, type, size })),
    listUnsubscribe: envelope.listUnsubscribe,
    autoSubmitted: envelope.autoSubmitted,
    warnings: [...envelope.warnings],
    level: message.label.level,
    messageId: envelope.messageId,
    inReplyTo: envelope.inReplyTo,
    references: [...envelope.references],
    parseError: message.parseError ?? null,
  }
}
