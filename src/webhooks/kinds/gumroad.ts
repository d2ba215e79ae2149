import type { Delivery, Verdict } from '../delivery.ts'
import { isOneOf } from '../signature.ts'

/** A sale as the API has it, or why there is none. */
export type FoundSale = { readonly sale: Record<string, unknown> } | { readonly missing: true } | { readonly unavailable: string }

/** Gumroad: not signed. Who knows the path may name a sale; what it was, is asked of the API. */
export async function verifyGumroad(delivery: Delivery, secrets: readonly Buffer[], findSale: (id: string) => Promise<FoundSale>): Promise<Verdict> {
  if (!isOneOf(secrets, delivery.pathSecret ?? '')) return { refused: 'forged' }
  const named = new URLSearchParams(delivery.body.toString('latin1')).getAll('sale_id')
  const [id] = named
  if (named.length !== 1 || id === undefined || !/^[A-Za-z0-9_=-]{1,100}$/.test(id)) return { refused: 'malformed' }
  const found = await findSale(id)
  if ('unavailable' in found) return { refused: 'unready' }
  if ('missing' in found || found.sale['id'] !== id) return { refused: 'forged' }
  return { event: { id, type: 'sale', knownBy: [id], rememberMs: null, body: Buffer.from(JSON.stringify(found.sale)) } }
}
