import type { IncomingHttpHeaders } from 'node:http'
import { Fault } from '../../../kernel/fault.ts'

const longestWaitMs = 3_600_000

/** Whoever answers these did nothing, and says where it would be done. Others say too where what was done can be seen. */
const moved: readonly number[] = [301, 307, 308]

interface Circumstances {
  /** Was it to change nothing there? Then no answer leaves anything open. */
  readonly isQuestion?: boolean
  /** Does the other side take a second one of the same id for the first? Then a failure of its own can be tried again. */
  readonly isIdempotent: boolean
  /** What a 429 asks for, where its body says so. */
  readonly waitMs?: number | undefined
  /** Is it as a 429, whatever its status: too much was asked, and this was not taken? */
  readonly isLimit?: boolean | undefined
  /** What the other side said of it; stays with the draft. */
  readonly said?: string | undefined
}

/** What an answer means for the draft; nothing when the act was done. */
export function judgeStatus(host: string, status: number, headers: IncomingHttpHeaders, { isQuestion = false, isIdempotent, waitMs, isLimit = false, said }: Circumstances): Fault | undefined {
  if (status >= 200 && status < 300) return undefined
  const brief = `${host} answered ${status}`
  const shown = said === undefined || said === '' ? brief : `${brief}: ${said}`
  if (status >= 300 && status < 400 && !isQuestion && !moved.includes(status)) {
    return new Fault('unavailable', 'connector.unknown', `${brief}, a redirect (to ${placeOf(headers.location)}), which is not followed and does not say whether it was done`, { brief: `${brief}, a redirect, which does not say whether it was done`, suspicion: 'redirect' })
  }
  if (status >= 300 && status < 400) return new Fault('refused', 'connector.not_sent', `${brief}, which leads elsewhere (${placeOf(headers.location)}); redirects are not followed. Correct the address`, { brief: `${brief}, a redirect, which is not followed`, suspicion: 'redirect' })
  const wait = waitMs ?? retryAfter(headers['retry-after'])
  if (isLimit || status === 429 || status === 425) return new Fault('unavailable', 'connector.try_again', shown, { brief, ...(wait !== undefined && { retryAfterMs: wait }) })
  if (status >= 500 || status === 408) {
    if (isIdempotent) return new Fault('unavailable', 'connector.try_again', shown, { brief, mayHaveLeft: true, ...(wait !== undefined && { retryAfterMs: wait }) })
    return new Fault('unavailable', 'connector.unknown', `${shown}, which does not say whether it was done`, { brief })
  }
  return new Fault('refused', 'connector.not_sent', shown, { brief })
}

/** How long until that moment by the clock of the server, which its answer says. Nothing when it does not, or the moment is over. */
export function waitUntil(moment: number, { date }: IncomingHttpHeaders): number | undefined {
  const wait = moment - Date.parse(String(date))
  return wait > 0 ? Math.min(wait, longestWaitMs) : undefined
}

/** In seconds; of the other form, a date, only a clock of the same time would make sense. */
export function retryAfter(header: string | undefined): number | undefined {
  if (header === undefined) return undefined
  return /^\d{1,9}$/.test(header) ? Math.min(Number(header) * 1_000, longestWaitMs) : undefined
}

function placeOf(location: string | undefined): string {
  return location !== undefined && URL.canParse(location) ? new URL(location).origin : 'somewhere'
}
