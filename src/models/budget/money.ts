import type { SpendingSettings } from '../../house/index.ts'
import { gateOf, type Label } from '../../labels/index.ts'
import type { Candidate } from '../plan.ts'
import { findPrice } from '../prices/find-price.ts'
import { costOf, isFree, mostOf, outputFor, outputLimit, toNanoEur, toNanoUsd, type Price, type Usage } from '../prices/price.ts'
import type { Session } from '../session.ts'
import type { BlockStore } from './block-store.ts'
import { budgetExceeded, priceUnknown } from './budget-faults.ts'
import { ceilingsFor, type Ceiling } from './ceiling.ts'
import type { RateOfDay } from './exchange.ts'
import type { Purse } from './purse.ts'

/** Billionths of a dollar and of a euro. */
export interface Cost {
  readonly nanoUsd: number
  readonly nanoEur: number
}

export interface HoldRequest {
  readonly session: Pick<Session, 'lane' | 'job' | 'client'> & { readonly agent?: string | undefined }
  readonly label: Label
  readonly candidate: Candidate
  /** Of all that the model reads. No tokenizer makes more tokens than there are bytes. */
  readonly promptBytes: number
  readonly maxTokens: number | undefined
}

/** The money of one call, before it is made. Undefined costs: nobody knows the price. */
export interface Hold {
  /** The most that the call can cost; what it costs if nobody lives to count. */
  readonly reserved: Cost | undefined
  /** The block that it is paid from. */
  readonly block: string | undefined
  /** The caller named no limit and there is not room for the longest answer: ask for no more than this. */
  readonly maxTokens: number | undefined
  costOf(usage: Usage): Cost | undefined
  /** Once, after the ledger knows the cost. */
  settle(cost: Cost | undefined): void
}

export interface Money {
  /** Faults: `price_unknown` and `budget_exceeded`, both `refused`. A model of one's own machines costs nothing and is always held. */
  hold(request: HoldRequest): Promise<Hold>
  /** At the start, after the calls of a gate that died were closed: gives back what they did not cost. */
  recover(): Promise<number>
  close(): Promise<void>
}

export interface MoneyDeps {
  readonly spending: () => SpendingSettings
  readonly timezone: () => string
  readonly rate: RateOfDay
  readonly purse: Purse
  readonly store: Pick<BlockStore, 'reached' | 'recover'>
  readonly onError: (error: unknown) => void
}

/** An answer that is not allowed as much is not worth asking for. */
const shortestAnswer = 1_024
const nothing: Cost = { nanoUsd: 0, nanoEur: 0 }
/** Of what nobody bills. */
export const freeHold: Hold = { reserved: nothing, block: undefined, maxTokens: undefined, costOf: () => nothing, settle: () => {} }
const unknown: Hold = { ...freeHold, reserved: undefined, costOf: () => undefined }

export function createMoney({ spending, timezone, rate, purse, store, onError }: MoneyDeps): Money {
  return {
    async hold({ session, label, candidate, promptBytes, maxTokens }) {
      // what is handed on is paid for at gate cloud
      if (candidate.handedOn || gateOf(candidate.zone) === 'local') return freeHold
      const { budgets, prices, allowUnknownPrice } = spending()
      const price = findPrice(candidate, prices)
      if (!price) {
        if (allowUnknownPrice) return unknown
        throw priceUnknown(candidate)
      }
      if (isFree(price)) return freeHold
      const micro = await rate()
      const inEur = (nanoUsd: number): Cost => ({ nanoUsd, nanoEur: toNanoEur(nanoUsd, micro) })
      const most = (outputTokens: number) => inEur(mostOf({ inputTokens: promptBytes, outputTokens }, price))
      const longest = longestAnswer(maxTokens, price)
      const reckoned = { costOf: (usage: Usage) => inEur(costOf(usage, price)) }
      const lanes = [...new Set([session.lane, ...label.lanes])]
      const ceilings: Ceiling[] = ceilingsFor({ lanes, provider: candidate.upstream, job: session.job ?? undefined, agent: session.agent, key: session.client?.name }, budgets)
      if (ceilings.length === 0) return { ...freeHold, ...reckoned, reserved: most(longest) }

      const needed = most(longest)
      const enough = maxTokens === undefined ? most(Math.min(longest, shortestAnswer)) : needed
      const drawn = await purse.draw(ceilings, needed.nanoEur, enough.nanoEur)
      if (drawn.outcome === 'exceeded') {
        store.reached(drawn.ceiling, drawn.startsAt).catch(onError)
        throw budgetExceeded(candidate, drawn, enough.nanoEur, timezone())
      }
      const { draw } = drawn
      const affordable = draw.amount < needed.nanoEur ? outputFor(toNanoUsd(draw.amount, micro), promptBytes, price) : undefined
      return {
        ...reckoned,
        block: draw.block,
        reserved: affordable === undefined ? needed : { nanoUsd: most(affordable).nanoUsd, nanoEur: draw.amount },
        maxTokens: affordable,
        settle: (cost) => draw.settle(cost?.nanoEur ?? draw.amount),
      }
    },
    recover: () => store.recover(),
    close: () => purse.close(),
  }
}

/** No model writes more than it can, whatever it is asked for. */
function longestAnswer(maxTokens: number | undefined, price: Price): number {
  if (maxTokens === undefined) return outputLimit(price)
  return price.outputLimit === undefined ? maxTokens : Math.min(maxTokens, price.outputLimit)
}
