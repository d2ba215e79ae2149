import { parseBoundedJson } from '../../kernel/bounded-json.ts'
import { isSeconds, isTimely, rememberSignedMs, single, typeOf, type Delivery, type Verdict } from '../delivery.ts'
import { isSigned } from '../signature.ts'

/** Standard Webhooks 1.0: `id.timestamp.body` signed, several signatures with blanks between them. */
export function verifyStandard(delivery: Delivery, secrets: readonly Buffer[]): Verdict {
  const id = single(delivery, 'webhook-id')
  const time = single(delivery, 'webhook-timestamp')
  const signatures = (single(delivery, 'webhook-signature') ?? '').split(' ').filter((one) => one.startsWith('v1,')).map((one) => Buffer.from(one.slice(3), 'base64'))
  // without a dot in it, the three parts can be put together in one way only
  const named = id !== undefined && /^[A-Za-z0-9_:=+/-]{1,200}$/.test(id) && isSeconds(time)
  const genuine = isSigned(secrets, signatures, `${id ?? ''}.${time ?? ''}.`, delivery.body)
  if (!named || !genuine) return { refused: 'forged' }
  if (!isTimely(time, delivery.now)) return { refused: 'late' }
  const parsed = parseBoundedJson(delivery.body)
  if (!parsed) return { refused: 'malformed' }
  const type = typeOf((parsed.value as { type?: unknown } | null)?.type) ?? 'unnamed'
  return { event: { id, type, knownBy: [id], rememberMs: rememberSignedMs, body: delivery.body } }
}
