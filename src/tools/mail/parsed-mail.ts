import { z } from 'zod'
import type { Envelope } from './mailbox.ts'

const address = z.object({ name: z.string().max(200), address: z.string().max(400) })

/** An envelope as the database keeps it. */
export const envelopeSchema: z.ZodType<Envelope> = z.object({
  from: address,
  to: z.array(address).max(200),
  cc: z.array(address).max(200),
  replyTo: z.array(address).max(200),
  subject: z.string().max(500),
  date: z.iso.datetime().nullable(),
  messageId: z.string().max(500).nullable(),
  inReplyTo: z.string().max(500).nullable(),
  references: z.array(z.string().max(500)).max(50),
  listUnsubscribe: z.boolean(),
  autoSubmitted: z.boolean(),
  attachments: z.array(z.object({ name: z.string().max(200), type: z.string().max(100), size: z.int().min(0), sha256: z.hash('sha256') })).max(250),
  snippet: z.string().max(200),
  warnings: z.array(z.string().max(300)).max(50),
})

export const parseErrorSchema = z.object({ code: z.string().max(50), message: z.string().max(500) })

/** What the parsing process answers. It read what a stranger wrote, so its word is checked like a stranger's. */
export const parsedMailSchema = z.object({ envelope: envelopeSchema, text: z.string().max(200_000), error: parseErrorSchema.optional() })

export type ParsedMail = z.infer<typeof parsedMailSchema>

/** For a message of which nothing could be read: it is still listed. */
export const emptyEnvelope: Envelope = Object.freeze({
  from: { name: '', address: '' }, to: [], cc: [], replyTo: [], subject: '', date: null, messageId: null, inReplyTo: null, references: [],
  listUnsubscribe: false, autoSubmitted: false, attachments: [], snippet: '', warnings: ['it could not be read'],
})
