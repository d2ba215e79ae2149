import type { Price } from './price.ts'
import { priceTable } from './price-table.ts'

/** The operator's own prices: `upstream/model` or `model`, where a `*` at the end stands for any rest. */
export type PriceOverlay = Readonly<Record<string, Price>>

/** Providers put the day of a snapshot, or `latest`, behind a model's name; it costs the same. */
const snapshot = /-(?:\d{8}|\d{4}-\d{2}-\d{2}|\d{4}|latest)$/

/** The price of a model: the operator's word first (of several patterns the longest), then the pinned table. Undefined: nobody knows. */
export function findPrice({ upstream, model }: { readonly upstream: string; readonly model: string }, overlay: PriceOverlay): Price | undefined {
  const names = [`${upstream}/${model}`, model]
  const found = Object.keys(overlay)
    .filter((pattern) => names.some((name) => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern)))
    .toSorted((a, b) => b.length - a.length)[0]
  if (found !== undefined) return overlay[found]
  // routers write the provider before the name
  const own = model.slice(model.lastIndexOf('/') + 1)
  return [own, own.replace(snapshot, '')].map((name) => (Object.hasOwn(priceTable, name) ? priceTable[name] : undefined)).find((price) => price !== undefined)
}
