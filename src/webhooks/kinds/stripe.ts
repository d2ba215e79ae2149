import { parseBoundedJson } from '../../kernel/bounded-json.ts'
import { isSeconds, isTimely, rememberSignedMs, single, typeOf, type Delivery, type Verdict } from '../delivery.ts'
import { isSigned } from '../signature.ts'

/** Stripe: `timestamp.body` signed, `t=…,v1=…` in one header. Id and type stand in the body, so they are signed too. */
export function verifyStripe(delivery: Delivery, secrets: readonly Buffer[]): Verdict {
  const pairs = (single(delivery, 'stripe-signature') ?? '').split(',').map((pair) => pair.trim().split('=') as [string, string?])
  const times = pairs.flatMap(([name, value]) => (name === 't' ? [value] : []))
  const signatures = pairs.flatMap(([name, value = '']) => (name === 'v1' && /^[0-9a-f]{64}$/.test(value) ? [Buffer.from(value, 'hex')] : []))
  const [time] = times
  const genuine = isSigned(secrets, signatures, `${time ?? ''}.`, delivery.body)
  if (!genuine || times.length !== 1 || !isSeconds(time)) return { refused: 'forged' }
  if (!isTimely(time, delivery.now)) return { refused: 'late' }
  const { id, type } = (parseBoundedJson(delivery.body)?.value ?? {}) as { id?: unknown; type?: unknown }
  const named = typeOf(type)
  if (typeof id !== 'string' || !/^[A-Za-z0-9_-]{1,200}$/.test(id) || named === undefined) return { refused: 'malformed' }
  return { event: { id, type: named, knownBy: [id], rememberMs: rememberSignedMs, body: delivery.body } }
}
