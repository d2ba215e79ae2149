import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { ExitCode } from './command/exit-codes.ts'

// in a folder of the user's own: what is compiled there is executed, so nobody else may be able to write it (/tmp, the default)
enableCompileCache(join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'castellan'))
// `castellan run list | head` closes our stdout early; that is no error
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})
const { runCli } = await import('./program.ts')
const exit: ExitCode = await runCli(process.argv.slice(2), process)
process.exitCode = exit
