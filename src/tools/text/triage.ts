import { z } from 'zod'
import { defineTool } from '../define-tool.ts'
import { categories, triageItemSchema, triageMessageSchema, triageRuleSchema } from './triage-message.ts'
import { triageMessage } from './triage-messages.ts'

export const textTriage = defineTool({
  name: 'text.triage',
  summary: 'Sort messages by declared rules, each with its reasons; what looks like a deception is set apart',
  effect: 'read',
  input: z.strictObject({
    messages: z.array(triageMessageSchema).max(1_000),
    rules: z.array(triageRuleSchema).max(200).default([]).describe('asked before the built-in ones, after the signs of deception'),
  }),
  output: z.object({ items: z.array(triageItemSchema), counts: z.record(z.enum(categories), z.int()) }),
  async run(_context, { messages, rules }) {
    const items = messages.map((message) => triageMessage(message, rules)).sort((a, b) => a.priority - b.priority)
    const counts = Object.fromEntries(categories.map((category) => [category, items.filter((item) => item.category === category).length]))
    return { items, counts: counts as Record<(typeof categories)[number], number> }
  },
})
