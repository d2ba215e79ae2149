import { Fault } from '../kernel/fault.ts'
import type { ReadError } from './transport.ts'

/** As Google's services tell an error (https://google.aip.dev/193). */
interface GoogleError {
  readonly code?: number
  readonly status?: string
  readonly message?: string
  readonly details?: readonly { readonly '@type'?: string; readonly reason?: string; readonly retryDelay?: string }[]
}

/** An error that is the answer: the wait stands in the body alone, and a wrong key is told as a wrong request. */
export const readGeminiError: ReadError = (status, body) => {
  const error = errorOf(body)
  const isKey = detailsOf(error).some((detail) => detail?.reason === 'API_KEY_INVALID')
  return { status: isKey ? 401 : status, retryAfter: retryAfterOf(error) }
}

/** An error inside a stream; undefined where the body is none. */
export function geminiFault(upstream: string, body: unknown): Fault | undefined {
  const error = errorOf(body)
  if (!error) return undefined
  const said = typeof error.message === 'string' && error.message !== '' ? `: ${error.message.slice(0, 300)}` : ''
  const isLimit = error.code === 429 || error.status === 'RESOURCE_EXHAUSTED'
  const retryAfter = retryAfterOf(error)
  return new Fault('unavailable', isLimit ? 'upstream.limited' : 'upstream.failed', `upstream ${upstream} failed${said}`, { upstream, ...(isLimit && retryAfter !== undefined && { retryAfter }) })
}

function errorOf(body: unknown): GoogleError | undefined {
  const error = typeof body === 'object' && body !== null ? (body as { error?: unknown }).error : undefined
  return typeof error === 'object' && error !== null ? error : undefined
}

function detailsOf(error: GoogleError | undefined): NonNullable<GoogleError['details']> {
  return Array.isArray(error?.details) ? (error.details as NonNullable<GoogleError['details']>) : []
}

/** Seconds, of which there may be parts: `45.837906927s`. */
function retryAfterOf(error: GoogleError | undefined): number | undefined {
  const said = detailsOf(error).map((detail) => /^(\d{1,6}(?:\.\d{1,9})?)s$/.exec(String(detail?.retryDelay))?.[1]).find((seconds) => seconds !== undefined)
  return said === undefined ? undefined : Number(said)
}
