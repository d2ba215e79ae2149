import type { ErrorView } from '../../server/index.ts'
import { exitCodes, type ExitCode } from './exit-codes.ts'
import { terminalOf, type Io, type Terminal } from '../terminal/terminal.ts'
import { visible, visibleJson, visibleText } from '../terminal/visible.ts'

/** What a command found or did: data for programs, text for people. */
export interface Outcome<T = unknown> {
  /** A list is an array; what has a state says so in `state`. */
  readonly data: T
  /** Given the data with everything that a terminal obeys spelled out. */
  text(data: T, terminal: Terminal): string
  /** The request was answered, but not as hoped for: the run failed, a check failed. */
  readonly failure?: { readonly exit: ExitCode; readonly code: string; readonly message: string } | undefined
}

/** Fixes the type of the data between its two uses. */
export function outcome<T>(data: T, text: Outcome<T>['text'], failure?: Outcome['failure']): Outcome {
  return { data, text: text as Outcome['text'], failure }
}

/** Writes an outcome in the one envelope, or as text; returns the exit code. */
export function writeOutcome(io: Io, terminal: Terminal, json: boolean, { data, text, failure }: Outcome): ExitCode {
  if (json) {
    const error = failure && { code: failure.code, message: failure.message }
    io.stdout.write(`${visibleJson(failure ? { ok: false, error, data } : { ok: true, data })}\n`)
  } else {
    const words = text(visible(data), terminal)
    if (words !== '') io.stdout.write(`${words}\n`)
    if (failure) writeError(io, terminalOf(io.stderr, io.env), false, failure)
  }
  return failure?.exit ?? exitCodes.ok
}

/** Writes an error: in the envelope on stdout with --json, otherwise for people on stderr. */
export function writeError(io: Io, terminal: Terminal, json: boolean, error: ErrorView): void {
  if (json) io.stdout.write(`${visibleJson({ ok: false, error })}\n`)
  else io.stderr.write(`${terminal.paint('red', 'castellan:')} ${visibleText(error.message)}\n`)
}
