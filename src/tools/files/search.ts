import { z } from 'zod'
import { defineTool } from '../define-tool.ts'

export const filesSearch = defineTool({
  name: 'files.search',
  summary: 'Find lines that hold a text in the files of a declared folder',
  effect: 'read',
  input: z.strictObject({
    folder: z.string().min(1),
    query: z.string().trim().min(2).max(200).describe('compared without regard to case'),
    limit: z.int().min(1).max(500).default(50),
  }),
  output: z.object({
    count: z.int(),
    hits: z.array(z.object({ path: z.string(), line: z.int(), text: z.string() })),
    truncated: z.boolean(),
  }),
  async run({ files }, input) {
    const { hits, truncated } = await files.search(input)
    return { count: hits.length, hits: [...hits], truncated }
  },
})
