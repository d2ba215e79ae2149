import { enableCompileCache } from 'node:module'
import type { ExitCode } from './command/exit-codes.ts'

enableCompileCache()
// `castellan run list | head` closes our stdout early; that is no error
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})
const { runCli } = await import('./program.ts')
const exit: ExitCode = await runCli(process.argv.slice(2), process)
process.exitCode = exit
