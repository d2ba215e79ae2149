/** What went wrong, in the terms a caller can act on; the server and the CLI map a kind to a status or an exit code. */
export type FaultKind =
  | 'invalid' // the input or the configuration is wrong; the message says what would be right
  | 'missing' // what was named does not exist
  | 'refused' // a rule, a label or a role forbids it
  | 'conflict' // someone else was first, or the state has moved on
  | 'unavailable' // a part that is needed does not answer; trying again may help
  | 'timeout' // it took longer than it was allowed to
  | 'internal' // a defect of ours

/** The one error of Castellan. `code` is stable and machine readable (`run.fence_lost`); `message` says what happened, to what, and what to do next. */
export class Fault extends Error {
  override readonly name = 'Fault'
  readonly kind: FaultKind
  readonly code: string
  readonly details: Readonly<Record<string, unknown>>

  constructor(kind: FaultKind, code: string, message: string, details: Record<string, unknown> = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.kind = kind
    this.code = code
    this.details = details
  }
}

/** Anything thrown, as a `Fault`; what is not one already is a defect of ours. */
export function toFault(error: unknown): Fault {
  if (error instanceof Fault) return error
  const message = error instanceof Error ? error.message : String(error)
  return new Fault('internal', 'internal', message, {}, error)
}
