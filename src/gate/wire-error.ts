import { Fault, toFault, type FaultKind } from '../kernel/fault.ts'

/** An error as a client of some wire reads it. */
export interface WireError {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: object
}

/** An error before it is put into the words of a wire. */
export interface ToldError {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly message: string
  readonly code: string
  /** The field of the request that is wrong. */
  readonly param?: string
  readonly details?: object
}

const statusOfKind: Readonly<Record<FaultKind, number>> = { invalid: 400, refused: 403, missing: 404, conflict: 409, internal: 500, unavailable: 503, timeout: 504 }

const statusOfCode: Readonly<Record<string, number>> = {
  session_unknown: 401,
  key_in_address: 401,
  'upstream.limited': 429,
  limit_reached: 429,
  'request.too_large': 413,
  'request.media_type': 415,
  'database.refused': 503,
  'database.unavailable': 503,
}

/** Anything thrown. A defect of ours keeps its words to the log. */
export function toldError(error: unknown): ToldError {
  const fault = toFault(error)
  const { param, retryAfter, ...details } = fault.details
  const ours = fault.kind === 'internal' || fault.code.startsWith('database.')
  return {
    status: statusOfCode[fault.code] ?? statusOfKind[fault.kind],
    headers: typeof retryAfter === 'number' ? { 'retry-after': String(Math.ceil(retryAfter)) } : {},
    message: ours ? 'something went wrong inside the gate; its log and `castellan doctor` say more' : fault.message,
    code: fault.code,
    ...(typeof param === 'string' ? { param } : {}),
    ...(ours || Object.keys(details).length === 0 ? {} : { details }),
  }
}

const openaiTypes: Readonly<Record<number, string>> = {
  400: 'invalid_request_error', 401: 'authentication_error', 403: 'permission_error', 404: 'invalid_request_error', 409: 'conflict_error',
  413: 'invalid_request_error', 415: 'invalid_request_error', 429: 'rate_limit_error', 500: 'server_error',
}

/** For OpenAI's clients. */
export function openaiError(error: unknown): WireError {
  const { status, headers, message, code, param, details } = toldError(error)
  const type = code.startsWith('database.') ? 'server_error' : (openaiTypes[status] ?? 'upstream_error')
  return { status, headers, body: { error: { message, type, param: param ?? null, code, ...(details && { details }) } } }
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
