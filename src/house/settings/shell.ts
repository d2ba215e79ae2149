import { z } from 'zod'
import { pathSchema, patternSchema } from './values.ts'

const rule = z.strictObject({
  program: z.string().min(1).max(300).describe('The name of a program, e.g. borg, or its path, with `*` for any characters. It counts inside of env, nice, timeout, find -exec and the like too.'),
  arguments: z.array(patternSchema).max(100).prefault([]).describe('Patterns with `*`, of which one has to match an argument. Without them the rule is for any.'),
  outcome: z.enum(['dry_run', 'forbidden']).describe('`forbidden`: never. `dry_run`: only as an act that is tried out on a copy before you sign it.'),
  reason: z.string().min(3).max(200).describe('What is said when it is refused.'),
})

export const shellSchema = z
  .strictObject({
    allow: z.array(pathSchema).max(100).prefault([]).describe('Programs that `shell.run` may start: absolute paths, or files of the house such as scripts/disk.sh. Never a shell. One that starts another (env, nice, timeout, find) starts only what is allowed too.'),
    rules: z.array(rule).max(200).prefault([]).describe('Your own rules on top of those that are built in, for jobs and for signed commands alike. They can only make things stricter.'),
  })
  .prefault({})
  .describe('Commands of jobs. They run in a sandbox without network and credentials.')
