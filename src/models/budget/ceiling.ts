import type { SpendingSettings } from '../../house/index.ts'

type Budget = SpendingSettings['budgets'][number]

/** Who spends, as far as a ceiling can tell them apart. */
export interface Spender {
  /** The lane of the run, and those of the label that the call carries. */
  readonly lanes: readonly string[]
  readonly provider: string
  readonly job?: string | undefined
  readonly agent?: string | undefined
  readonly key?: string | undefined
}

export interface Ceiling {
  /** What it is for; the same after its sum was changed. */
  readonly name: string
  readonly per: 'day' | 'month'
  /** EUR. */
  readonly limit: number
}

const scopes = ['lane', 'provider', 'job', 'agent', 'key'] as const

/** `day`, `month lane open`, `day provider far job morning`. */
export function ceilingName(budget: Omit<Budget, 'eur'>): string {
  return [budget.per, ...scopes.flatMap((scope) => (budget[scope] === undefined ? [] : [scope, budget[scope]]))].join(' ')
}

/** The ceilings that a call of this spender must stay under, in the order of their names. */
export function ceilingsFor(spender: Spender, budgets: readonly Budget[]): Ceiling[] {
  return budgets
    .filter((budget) =>
      (budget.lane === undefined || spender.lanes.includes(budget.lane)) &&
      (['provider', 'job', 'agent', 'key'] as const).every((scope) => budget[scope] === undefined || budget[scope] === spender[scope]))
    .map((budget) => ({ name: ceilingName(budget), per: budget.per, limit: budget.eur }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
}
