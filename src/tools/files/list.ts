import { z } from 'zod'
import { defineTool } from '../define-tool.ts'

export const filesList = defineTool({
  name: 'files.list',
  summary: 'List the files and folders of a declared folder',
  effect: 'read',
  input: z.strictObject({
    folder: z.string().min(1),
    path: z.string().default('').describe('a folder in it; the folder itself when empty'),
    recursive: z.boolean().default(false),
    limit: z.int().min(1).max(5_000).default(500),
  }),
  output: z.object({
    count: z.int(),
    files: z.array(z.object({ path: z.string(), kind: z.enum(['file', 'folder']), bytes: z.int(), modified: z.string() })),
    truncated: z.boolean(),
  }),
  async run({ files }, input) {
    const { entries, truncated } = await files.list(input)
    return { count: entries.length, files: entries.map((entry) => ({ ...entry, modified: entry.modified.toISOString() })), truncated }
  },
})
