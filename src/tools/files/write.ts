import { z } from 'zod'
import { defineTool } from '../define-tool.ts'

export const filesWrite = defineTool({
  name: 'files.write',
  summary: 'Write a text file in a declared folder, whole or not at all',
  effect: 'write',
  input: z.strictObject({ folder: z.string().min(1), path: z.string().min(1).describe('relative to the folder; missing folders are made'), text: z.string() }),
  output: z.object({ path: z.string(), bytes: z.int(), sha256: z.string() }),
  run: ({ files }, input) => files.write(input),
})
