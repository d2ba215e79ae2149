import { toldError, type WireError } from '../wire-error.ts'

const statuses: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT', 401: 'UNAUTHENTICATED', 403: 'PERMISSION_DENIED', 404: 'NOT_FOUND', 409: 'ABORTED', 413: 'INVALID_ARGUMENT', 415: 'INVALID_ARGUMENT', 429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL', 503: 'UNAVAILABLE', 504: 'DEADLINE_EXCEEDED',
}
const typed = (type: string, body: object) => ({ '@type': `type.googleapis.com/google.rpc.${type}`, ...body })

/** For Gemini's clients: our code is the reason; a wait is told in the body too, where they look for it. */
export function geminiError(error: unknown): WireError {
  const { status, headers, message, code, param, details } = toldError(error)
  const metadata = Object.fromEntries(Object.entries(details ?? {}).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]))
  const wait = headers['retry-after']
  return {
    status,
    headers,
    body: {
      error: {
        code: status,
        message,
        status: statuses[status] ?? 'UNKNOWN',
        details: [
          typed('ErrorInfo', { reason: code, domain: 'castellan', metadata }),
          ...(param === undefined ? [] : [typed('BadRequest', { fieldViolations: [{ field: param, description: message }] })]),
          ...(wait === undefined ? [] : [typed('RetryInfo', { retryDelay: `${wait}s` })]),
        ],
      },
    },
  }
}
