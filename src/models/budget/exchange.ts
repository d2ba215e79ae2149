import type { Database } from '../../kernel/database/connect.ts'

/** Millionths of a euro for a dollar, of today: what was recorded when the first call of the day was reckoned. */
export type RateOfDay = () => Promise<number>

interface Deps {
  readonly database: Pick<Database, 'pool'>
  readonly timezone: () => string
  /** What a day begins with. */
  readonly configured: () => number
  /** Milliseconds. */
  readonly now: () => number
}

export function createRateOfDay({ database, timezone, configured, now }: Deps): RateOfDay {
  let known: { readonly micro: number; readonly until: number } | undefined
  return async () => {
    if (known && now() < known.until) return known.micro
    const asked = now()
    const { rows } = await database.pool.query<{ rate: { micro: number; valid_ms: number } }>(
      'select exchange_rate_of($1, $2::numeric / 1000000, null) as rate', [timezone(), configured()])
    const { micro, valid_ms: validMs } = rows[0]!.rate
    known = { micro, until: asked + validMs }
    return micro
  }
}
