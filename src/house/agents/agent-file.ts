import { z } from 'zod'
import { nameSchema } from '../settings/values.ts'

/** agents/NAME.yaml. */
export const agentSchema = z.strictObject({
  name: nameSchema.optional().describe('Default: the name of the file.'),
  summary: z.string().min(1).max(300).describe('One sentence for the pages.'),
  lane: nameSchema.prefault('private').describe('One of the lanes.'),
  tools: z.array(z.string().min(1).max(100)).max(100).prefault([]).describe('What it can do; nothing else exists for it.'),
  task: nameSchema.prefault('default').describe('The task type by which its model is routed.'),
  prompt: nameSchema.optional().describe('The prompt it starts from: prompts/NAME.liquid.'),
})

export type AgentFile = z.output<typeof agentSchema>
