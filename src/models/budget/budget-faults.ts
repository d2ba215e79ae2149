import { Fault } from '../../kernel/fault.ts'
import type { Candidate } from '../plan.ts'
import { priceTableDate, priceTableSource } from '../prices/price-table.ts'
import type { Reservation } from './block-store.ts'

const localGoesOn = 'models on your own machines cost nothing and go on'

export function priceUnknown({ upstream, model }: Candidate): Fault {
  return new Fault('refused', 'price_unknown',
    `nobody knows what ${upstream}/${model} costs (it is not in the table of ${priceTableDate}, from ${priceTableSource}), so no ceiling could hold it: write its price under models.prices in castellan.yaml, or allow_unknown_price: true; ${localGoesOn}`,
    { upstream, model })
}

/** `needed`: billionths of a euro. */
export function budgetExceeded({ upstream, model }: Candidate, exceeded: Extract<Reservation, { outcome: 'exceeded' }>, needed: number, timezone: string): Fault {
  const { ceiling, limit, counted, resetsAt } = exceeded
  const [per, ...scope] = ceiling.split(' ')
  const whom = scope.length === 0 ? '' : ` for ${scope.join(' ')}`
  return new Fault('refused', 'budget_exceeded',
    `the budget of ${euros(limit)} a ${per}${whom} has no room for ${upstream}/${model}: ${euros(counted)} are spent or held by calls under way, and this call can cost ${euros(needed)}. ` +
    `It begins anew on ${localTime(resetsAt, timezone)}; until then ${localGoesOn}, and models.budgets in castellan.yaml raises it`,
    { upstream, model, ceiling, limit_eur: limit / 1e9, counted_eur: counted / 1e9, needed_eur: needed / 1e9, resets_at: new Date(resetsAt).toISOString() })
}

/** Faults by which money holds a call back: the next candidate may cost less, or nothing. */
export function isAboutMoney({ code }: Pick<Fault, 'code'>): boolean {
  return code === 'budget_exceeded' || code === 'price_unknown'
}

function euros(nano: number): string {
  const eur = nano / 1e9
  return `EUR ${eur > 0 && eur < 0.01 ? eur.toFixed(4) : eur.toFixed(2)}`
}

function localTime(at: string, timezone: string): string {
  const text = new Intl.DateTimeFormat('sv-SE', { timeZone: timezone, dateStyle: 'short', timeStyle: 'short' }).format(new Date(at))
  return `${text} (${timezone})`
}
