import { z } from 'zod'
import { renderTemplate } from '../../house/index.ts'
import { defineTool } from '../define-tool.ts'

export const textTemplate = defineTool({
  name: 'text.template',
  summary: 'Fill in a Liquid template; it reads its data and nothing else',
  effect: 'read',
  input: z.strictObject({ template: z.string().max(200_000), data: z.record(z.string(), z.unknown()).default({}) }),
  output: z.object({ text: z.string() }),
  async run(_context, { template, data }) {
    return { text: renderTemplate(template, data) }
  },
})
