import type { ZodType } from 'zod'
import { Fault, toFault, type FaultKind } from '../kernel/fault.ts'
import type { ErrorView } from './api.ts'

export type Envelope<T> = { ok: true; data: T } | { ok: false; error: ErrorView }

const statuses: Record<FaultKind, number> = {
  invalid: 400,
  refused: 403,
  missing: 404,
  conflict: 409,
  internal: 500,
  unavailable: 503,
  timeout: 504,
}

/** Codes that say more than their kind does. */
const statusOfCode: Readonly<Record<string, number>> = {
  'session.missing': 401,
  'signin.refused': 401,
  'signin.locked': 429,
  'request.rate': 429,
}

/** The body of what succeeded. */
export function success<T>(data: T): { ok: true; data: T } {
  return { ok: true, data }
}

/** The HTTP status and the body of an error; what is not a `Fault` is told without its inner words. */
export function failure(error: unknown): { status: number; body: Envelope<never> } {
  const fault = toFault(error)
  const message = error instanceof Fault ? fault.message : 'something went wrong inside; `castellan doctor` and the log of the server say more'
  const details = Object.keys(fault.details).length > 0 ? { details: { ...fault.details } } : {}
  return { status: statusOfCode[fault.code] ?? statuses[fault.kind], body: { ok: false, error: { code: fault.code, message, ...details } } }
}

/** Checks what came in. @throws Fault `request.invalid` that names every field that is wrong */
export function parseRequest<T>(schema: ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value ?? {})
  if (result.success) return result.data
  const { issues } = result.error
  const told = issues.map((issue) => `${issue.path.length > 0 ? `${issue.path.join('.')}: ` : ''}${issue.message}`)
  throw new Fault('invalid', 'request.invalid', told.join('; '), { fields: issues.map((issue) => issue.path.join('.')) })
}
