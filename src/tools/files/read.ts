import { z } from 'zod'
import { defineTool } from '../define-tool.ts'

export const filesRead = defineTool({
  name: 'files.read',
  summary: 'Read a text file of a declared folder',
  effect: 'read',
  input: z.strictObject({ folder: z.string().min(1), path: z.string().min(1).describe('relative to the folder') }),
  output: z.object({ path: z.string(), text: z.string(), bytes: z.int(), sha256: z.string() }),
  run: ({ files }, input) => files.read(input),
})
