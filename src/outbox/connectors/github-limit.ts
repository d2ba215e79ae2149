import type { Answer } from './http/exchange.ts'
import { retryAfter, waitUntil } from './http/judge-status.ts'

/** What GitHub asks of those to whom it does not say when to come again. */
const unsaidMs = 60_000

/**
 * Is the answer a limit of GitHub's, of requests in an hour or a secondary one, and how long does it last? It says 403 as often as 429, and then nothing was taken.
 * (docs.github.com, "Rate limits for the REST API": `retry-after` first, then `x-ratelimit-reset` where none remain, else a minute.)
 */
export function readLimit({ status, headers }: Pick<Answer, 'status' | 'headers'>, message: string | undefined): { isLimit: boolean; waitMs: number | undefined } {
  const isSpent = headers['x-ratelimit-remaining'] === '0'
  const isLimit = status === 429 || (status === 403 && (isSpent || headers['retry-after'] !== undefined || /\brate limit\b|\babuse detection\b/i.test(message ?? '')))
  if (!isLimit) return { isLimit, waitMs: undefined }
  const reset = isSpent ? waitUntil(Number(headers['x-ratelimit-reset']) * 1_000, headers) : undefined
  return { isLimit, waitMs: retryAfter(headers['retry-after']) ?? reset ?? unsaidMs }
}
