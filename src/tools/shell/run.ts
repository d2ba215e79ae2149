import { z } from 'zod'
import { defineTool } from '../define-tool.ts'

export const shellRun = defineTool({
  name: 'shell.run',
  summary: 'Run an allowed program in the sandbox: no network, no credentials, only the folders that are named, for reading',
  effect: 'read',
  input: z.strictObject({
    argv: z.array(z.string().max(10_000)).min(1).max(200).describe('the absolute path of the program, then its arguments; never shell text'),
    folders: z.array(z.string()).max(20).default([]).describe('names of declared folders that it may read'),
    cwd: z.string().optional().describe('one of them, or a folder in it: vault/projects'),
    timeoutMs: z.int().min(100).max(600_000).optional(),
  }),
  output: z.object({ exitCode: z.int(), stdout: z.string(), stderr: z.string(), sha256: z.string().describe('of the program that ran') }),
  run: ({ shell, signal }, input) => shell.run({ ...input, signal }),
})
