import { z } from 'zod'

const address = z.object({ name: z.string().default(''), address: z.string() })

/** What triage looks at; the messages of mail.list fit, more fields are ignored. */
export const triageMessageSchema = z.object({
  id: z.string().min(1),
  from: address,
  to: z.array(address).optional(),
  subject: z.string(),
  date: z.string(),
  snippet: z.string(),
  text: z.string().optional(),
  attachments: z.array(z.object({ name: z.string(), type: z.string() })).optional(),
  listUnsubscribe: z.boolean().optional(),
  autoSubmitted: z.boolean().optional(),
  warnings: z.array(z.string()).optional(),
  messageId: z.string().nullable().default(null),
  inReplyTo: z.string().nullable().default(null),
  references: z.array(z.string()).default([]),
  parseError: z.object({ code: z.string(), message: z.string() }).nullish(),
})
export type TriageMessage = z.infer<typeof triageMessageSchema>

export const categories = ['urgent', 'request', 'invoice', 'meeting', 'newsletter', 'bounce', 'suspicious', 'other'] as const
export type Category = (typeof categories)[number]
export const actions = ['reply', 'review', 'file', 'ignore'] as const
export type Action = (typeof actions)[number]

export const triageItemSchema = z.object({
  id: z.string(),
  category: z.enum(categories),
  priority: z.int().min(1).max(5).describe('1 is the most pressing'),
  reasons: z.array(z.string()),
  from: z.object({ name: z.string(), address: z.string() }),
  subject: z.string(),
  date: z.string(),
  snippet: z.string(),
  messageId: z.string().nullable(),
  inReplyTo: z.string().nullable().default(null),
  references: z.array(z.string()).default([]),
  action: z.enum(actions),
})
export type TriageItem = z.infer<typeof triageItemSchema>

export const triageRuleSchema = z.strictObject({
  category: z.enum(categories),
  priority: z.int().min(1).max(5).optional(),
  action: z.enum(actions).optional(),
  reason: z.string().min(1).max(200).optional(),
  from: z.string().min(1).optional().describe('a pattern with *, e.g. *@example.org'),
  to: z.string().min(1).optional().describe('a pattern with *'),
  subject: z.string().min(1).optional().describe('a pattern with *'),
  words: z.array(z.string().min(2)).optional().describe('one of them in subject or text, without regard to case'),
}).refine((rule) => rule.from ?? rule.to ?? rule.subject ?? rule.words, 'a rule needs a condition: from, to, subject or words')
export type TriageRule = z.infer<typeof triageRuleSchema>
