import type { ExitCode } from './command/exit-codes.ts'
import { runCli } from './program.ts'

// `castellan run list | head` closes our stdout early; that is no error
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})
const exit: ExitCode = await runCli(process.argv.slice(2), process)
process.exitCode = exit
