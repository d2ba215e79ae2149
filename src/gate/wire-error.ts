import { Fault, toFault, type FaultKind } from '../kernel/fault.ts'

/** An error as OpenAI's clients read it. */
export interface WireError {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: { readonly error: { readonly message: string; readonly type: string; readonly param: string | null; readonly code: string; readonly details?: unknown } }
}

const kinds: Readonly<Record<FaultKind, readonly [status: number, type: string]>> = {
  invalid: [400, 'invalid_request_error'],
  refused: [403, 'permission_error'],
  missing: [404, 'invalid_request_error'],
  conflict: [409, 'conflict_error'],
  internal: [500, 'server_error'],
  unavailable: [503, 'upstream_error'],
  timeout: [504, 'upstream_error'],
}

const codes: Readonly<Record<string, readonly [status: number, type: string]>> = {
  session_unknown: [401, 'authentication_error'],
  'upstream.limited': [429, 'rate_limit_error'],
  'request.too_large': [413, 'invalid_request_error'],
  'request.media_type': [415, 'invalid_request_error'],
  'database.refused': [503, 'server_error'],
  'database.unavailable': [503, 'server_error'],
}

/** Anything thrown, for the wire. A defect of ours keeps its words to the log. */
export function wireError(error: unknown): WireError {
  const fault = toFault(error)
  const [status, type] = codes[fault.code] ?? kinds[fault.kind]
  const { param, retryAfter, ...details } = fault.details
  const told = fault.kind === 'internal' || fault.code.startsWith('database.')
  return {
    status,
    headers: typeof retryAfter === 'number' ? { 'retry-after': String(Math.ceil(retryAfter)) } : {},
    body: {
      error: {
        message: told ? 'something went wrong inside the gate; its log and `castellan doctor` say more' : fault.message,
        type,
        param: typeof param === 'string' ? param : null,
        code: fault.code,
        ...(told || Object.keys(details).length === 0 ? {} : { details }),
      },
    },
  }
}

/** What Fastify finds wrong before a route runs, in our words. */
export function requestFault(error: unknown, bodyLimit: number): unknown {
  const status = (error as { statusCode?: number }).statusCode
  if (error instanceof Fault || status === undefined || status >= 500) return error
  if (status === 413) {
    return new Fault('invalid', 'request.too_large', `the body has more than ${bodyLimit / 1024 / 1024} MiB; send fewer or smaller messages and images`)
  }
  if (status === 415) return new Fault('invalid', 'request.media_type', 'the body must be JSON: send content-type: application/json')
  return new Fault('invalid', 'request.invalid', `the body cannot be read as JSON (${(error as Error).message}); send an object with model and messages`)
}
