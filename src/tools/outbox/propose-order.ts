import { z } from 'zod'
import { defineTool } from '../define-tool.ts'
import { proposedSchema } from './propose.ts'

const key = z.string().min(1).max(200).describe('names the order in this step; a repeated step finds its first proposal')

/** What a run may ask for; what it comes to, the releaser says, and only the operator's passkey makes it stand. */
export const orderPropose = defineTool({
  name: 'order.propose',
  summary: 'Propose a standing order, by which small acts leave without a signature of their own; it waits for the passkey of the operator',
  effect: 'propose',
  input: z.strictObject({
    key,
    name: z.string().min(1).max(63),
    kind: z.enum(['mail.move', 'mail.flag', 'files.move', 'telegram.message']),
    connector: z.string().min(1).max(63).describe('a connector of castellan.yaml'),
    per_day: z.int().min(1).max(1_000),
    expires_at: z.iso.datetime().nullable().describe('null: without end, for messages to the operator only'),
    level: z.int().min(0).max(2).optional().describe('the highest label of what it lets leave'),
    from: z.string().max(500).optional(),
    to: z.string().max(500).optional(),
    senders: z.array(z.string().max(320)).max(100).optional().describe('whole addresses'),
    add: z.array(z.string().max(50)).max(20).optional(),
    remove: z.array(z.string().max(50)).max(20).optional(),
    folder: z.string().max(63).optional(),
  }),
  output: proposedSchema,
  async run({ proposals, signal }, { key: item, ...payload }) {
    signal.throwIfAborted()
    return { proposed: [await proposals.open({ key: item, kind: 'order.stand', connector: 'castellan.orders', payload })] }
  },
})
