import type { Logger } from '../kernel/log.ts'
import type { Hold, Money } from './budget/money.ts'
import { toFault } from '../kernel/fault.ts'
import type { CallIntent, CallLedger, CallResult } from './call-ledger.ts'
import type { Passage } from './route/walk.ts'

interface PaidCallDeps {
  readonly ledger: CallLedger
  readonly money: Pick<Money, 'hold'>
  readonly log: Logger
}

type Wanted = Omit<CallIntent, 'outputTokens' | 'reserved' | 'block'> & {
  readonly promptBytes: number
  /** Tokens that the answer may have at most; undefined where the caller named no limit. */
  readonly maxTokens: number | undefined
  readonly passage: Passage
}

/** A call whose money is held and whose row is open. */
export interface PaidCall {
  readonly id: string
  readonly hold: Hold
  /** Closes the row with what the call took and cost, and gives back what it did not. `error`: what a failed one failed with. */
  close(result: CallResult, error?: unknown): void
}

const notMade = { nanoUsd: 0, nanoEur: 0 }

/** Holds the money of a call, then opens its row. `moved`: the session is not what the plan was made for. Faults of `Money.hold`. */
export async function openPaidCall({ ledger, money, log }: PaidCallDeps, { promptBytes, maxTokens, passage, ...intent }: Wanted): Promise<PaidCall | 'moved'> {
  const { session, label, candidate } = intent
  const hold = await money.hold({ session, label, candidate, promptBytes, maxTokens }).catch((error: unknown) => {
    passage.left(undefined)
    throw error
  })
  const full = { ...intent, outputTokens: maxTokens ?? hold.maxTokens, reserved: hold.reserved, block: hold.block }
  const opened = await ledger.open(full).catch((error: unknown) => {
    hold.settle(notMade)
    passage.left(undefined)
    throw error
  })
  if (opened.outcome === 'moved') {
    hold.settle(notMade)
    passage.left(undefined)
    return 'moved'
  }
  const { id } = opened
  return {
    id, hold,
    close(result, error) {
      leave(passage, result, error)
      const cost = hold.costOf(result)
      ledger.close(id, { ...result, cost }, full).then(
        (closed) => {
          hold.settle(cost)
          if (!closed) log.warn({ call: id }, 'a model call had been closed by somebody else')
        },
        // the row stays open and is closed by the sweep of the next start
        (error: unknown) => {
          hold.settle(hold.reserved)
          log.error({ call: id, err: error }, 'a model call could not be closed in the ledger')
        },
      )
    },
  }
}

function leave(passage: Passage, { state, inputTokens, outputTokens }: CallResult, error: unknown): void {
  const tokens = inputTokens + outputTokens
  if (state === 'succeeded') passage.answered(tokens)
  else if (state === 'failed') passage.failed(toFault(error), tokens)
  else passage.left(tokens)
}
