/** What was delivered, as it came. */
export interface Delivery {
  /** Each with every value that was sent: a header that stands there twice is seen twice. */
  readonly headers: Readonly<Record<string, readonly string[] | undefined>>
  readonly body: Buffer
  /** What stood behind the name in the path. */
  readonly pathSecret: string | undefined
  readonly now: Date
}

/** Why a delivery is not taken in; the reasons that `inbound_refuse` knows. */
export type Refusal = 'unknown' | 'forged' | 'late' | 'malformed' | 'size' | 'type' | 'slow' | 'rate' | 'unready'

/** A delivery of which is certain who sent it. */
export interface GenuineEvent {
  readonly id: string
  readonly type: string
  /** By any of these it is known again. */
  readonly knownBy: readonly string[]
  /** How long; null where no signed time makes an old one void: for good. */
  readonly rememberMs: number | null
  readonly body: Buffer
}

export type Verdict = { readonly event: GenuineEvent } | { readonly refused: Refusal }

/** With a signed time a delivery is void after five minutes; senders that try again for days sign anew under the same id. */
export const rememberSignedMs = 30 * 24 * 3_600_000

/** How far the clocks of sender and receiver may differ, either way. */
const toleranceMs = 300_000

/** Seconds since 1970, as senders sign them. */
export function isTimely(seconds: string, now: Date): boolean {
  return Math.abs(now.getTime() - Number(seconds) * 1_000) <= toleranceMs
}

export function isSeconds(text: string | undefined): text is string {
  return text !== undefined && /^\d{1,11}$/.test(text)
}

/** The one value of a header; undefined when there is none, or more than one. */
export function single({ headers }: Pick<Delivery, 'headers'>, name: string): string | undefined {
  const values = headers[name]
  return values?.length === 1 ? values[0] : undefined
}

/** A type as jobs can name it; what senders call it otherwise has none. */
export function typeOf(value: unknown): string | undefined {
  return typeof value === 'string' && /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$/.test(value) ? value : undefined
}
