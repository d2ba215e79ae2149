import type { Fault, FaultKind } from '../../kernel/fault.ts'

/** What a command's end says to the shell. */
export const exitCodes = { ok: 0, failure: 1, usage: 2, configuration: 3, auth: 4, unreachable: 5, conflict: 6, partial: 7 } as const
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

const byKind: Record<FaultKind, ExitCode> = {
  invalid: exitCodes.usage,
  missing: exitCodes.failure,
  refused: exitCodes.auth,
  conflict: exitCodes.conflict,
  unavailable: exitCodes.unreachable,
  timeout: exitCodes.failure,
  internal: exitCodes.failure,
}

/** The exit code of an error. What is wrong in the operator's folder is configuration, whoever noticed it. */
export function exitCodeOf(fault: Pick<Fault, 'kind' | 'code'>): ExitCode {
  if (/^(house|config)\./.test(fault.code) && fault.kind === 'invalid') return exitCodes.configuration
  return byKind[fault.kind]
}
