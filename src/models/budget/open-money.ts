import type { SpendingSettings } from '../../house/index.ts'
import type { Database } from '../../kernel/database/connect.ts'
import { createBlockStore } from './block-store.ts'
import { createRateOfDay } from './exchange.ts'
import { createMoney, type Money } from './money.ts'
import { createPurse } from './purse.ts'

export interface OpenMoneyDeps {
  readonly database: Pick<Database, 'pool'>
  readonly spending: () => SpendingSettings
  /** IANA; days and months begin by it. */
  readonly timezone: () => string
  readonly onError: (error: unknown) => void
}

/** EUR 0.50: a crash holds back no more than that for each kind of spender, and a busy gate asks the database once for some hundred calls. */
const blockSize = 500_000_000
/** Milliseconds that a call waits when others hold the room; then it is refused, or goes on to what costs less. */
const patience = 2_000
/** Marks are looked for when so much was spent since: a hundredth of the lowest ceiling at most. */
const partOfCeiling = 100

/** The money of one gate on its database. */
export function openMoney({ database, spending, timezone, onError }: OpenMoneyDeps): Money {
  const now = Date.now
  const store = createBlockStore(database, timezone)
  let since = 0
  const onSettled = (block: string, spent: number) => {
    since += spent
    const lowest = Math.min(...spending().budgets.filter(({ eur }) => eur > 0).map(({ eur }) => eur * 1e9))
    if (since * partOfCeiling < lowest) return
    since = 0
    store.look(block).catch(onError)
  }
  const purse = createPurse({ store, blockSize, now, onError, patience, onSettled })
  const rate = createRateOfDay({ database, timezone, configured: () => spending().microEurPerUsd, now })
  return createMoney({ spending, timezone, rate, purse, store, onError })
}
