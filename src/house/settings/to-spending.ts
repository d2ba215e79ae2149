import type { CastellanFile } from './castellan-file.ts'
import type { SpendingSettings } from './settings.ts'

type Priced = CastellanFile['models']['prices'][string]

/** What castellan.yaml says about money, in whole millionths where it is reckoned with. */
export function toSpending({ budgets, prices, eur_per_usd, allow_unknown_price }: CastellanFile['models']): SpendingSettings {
  return {
    budgets,
    prices: Object.fromEntries(Object.entries(prices).map(([pattern, { above_200k, output_limit, ...rates }]) => [
      pattern, { ...toRates(rates), ...(above_200k && { above200k: toRates(above_200k) }), ...(output_limit !== undefined && { outputLimit: output_limit }) },
    ])),
    microEurPerUsd: Math.round(eur_per_usd * 1_000_000),
    allowUnknownPrice: allow_unknown_price,
  }
}

function toRates({ input, output, cache_read, cache_write }: Pick<Priced, 'input' | 'output' | 'cache_read' | 'cache_write'>) {
  return { input, output, ...(cache_read !== undefined && { cacheRead: cache_read }), ...(cache_write !== undefined && { cacheWrite: cache_write }) }
}
