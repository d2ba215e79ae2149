import { Fault } from '../../kernel/fault.ts'
import type { Finding } from './composed.ts'

/** Where the body of a request says how much money it spends. */
export interface SpendingShape {
  /** A JSON pointer (RFC 6901) to the amount, a number or a text of digits. */
  readonly amount: string
  /** How many of it are one unit of money: 100 for cents. */
  readonly per: number
  /** Three letters (ISO 4217), or a JSON pointer to where they stand. */
  readonly currency: string
}

/** Above it an act takes the passkey itself, whatever else its risk says. */
const mostOfSession = { amount: 10, currency: 'EUR' }

/**
 * How much a body spends, in words, and what follows from it. Money that cannot be read, or compared, counts as much.
 * @throws Fault `draft.request` for a body that two readers could understand differently
 */
export function spendingOf(body: string | null, { amount, per, currency }: SpendingShape): { readonly words: string | undefined; readonly finding: Finding } {
  const parsed = body === null ? undefined : parse(body)
  const written = textAt(parsed, amount) ?? ''
  const value = /^\d{1,15}(?:\.\d{1,10})?$/.test(written) ? Number(written) / per : Number.NaN
  const unit = (currency.startsWith('/') ? textAt(parsed, currency) : currency)?.toUpperCase()
  const isKnown = Number.isFinite(value) && unit !== undefined && /^[A-Z]{3}$/.test(unit)
  if (!isKnown) return { words: undefined, finding: { atLeast: 7, why: `it may spend money, and how much cannot be read at ${amount}` } }
  const words = `${unit} ${value.toFixed(2)}`
  if (unit === mostOfSession.currency && value <= mostOfSession.amount) return { words, finding: { add: 1, why: `it spends ${words}` } }
  return { words, finding: { atLeast: 7, why: `it spends ${words}, more than ${mostOfSession.currency} ${mostOfSession.amount} or in another currency` } }
}

/** Of two fields of one name each reader takes another, so only what JSON writes itself is taken. */
function parse(body: string): unknown {
  try {
    const value: unknown = JSON.parse(body)
    if (JSON.stringify(value) === body) return value
  } catch {
    // said below
  }
  throw new Fault('refused', 'draft.request', 'this request cannot be made: its connector spends money, so the body has to be an object, which is sent as plain JSON')
}

function textAt(value: unknown, pointer: string): string | undefined {
  let at = value
  for (const step of pointer.split('/').slice(1)) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined
    at = (at as Record<string, unknown>)[name]
  }
  if (typeof at === 'number') return String(at)
  return typeof at === 'string' && at.length <= 40 ? at.trim() : undefined
}
