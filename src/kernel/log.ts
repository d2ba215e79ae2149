import { pino, type DestinationStream, type Logger } from 'pino'
import { describeError, redactByKey, redactByValue } from './redact.ts'

export type { Logger }

export interface LoggerOptions {
  /** Who speaks: a process, or a part of it. */
  readonly name: string
  /** The file to append to, made 0600 with its folders; standard output when missing. A stream is for tests. */
  readonly destination?: string | DestinationStream | undefined
  readonly level?: 'debug' | 'info' | 'warn' | 'error'
}

/** JSON lines, one write each, so that a killed process has said all it said. Secrets are taken out by the name of their key and by their looks. */
export function createLogger({ name, destination, level = 'info' }: LoggerOptions): Logger {
  return pino(
    {
      name,
      level,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: (value: unknown) => value, error: (value: unknown) => value },
      formatters: {
        level: (label) => ({ level: label }),
        bindings: ({ hostname: _, ...bindings }) => redactByKey(bindings) as Record<string, unknown>,
        log: (fields) => redactByKey(fields) as Record<string, unknown>,
      },
      hooks: { streamWrite: redactByValue },
    },
    typeof destination === 'object' ? destination : openDestination(destination),
  )
}

function openDestination(file: string | undefined): DestinationStream {
  const destination = pino.destination({ dest: file ?? 1, sync: true, mkdir: true, mode: 0o600 })
  // a full disk must not end a process because it could not say something
  let complained = false
  destination.on('error', (error: Error) => {
    if (!complained) process.stderr.write(`cannot write the log${file ? ` ${file}` : ''}: ${describeError(error).message}\n`)
    complained = true
  })
  return destination
}
