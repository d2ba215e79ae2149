import { createHash } from 'node:crypto'
import { parseBoundedJson } from '../../kernel/bounded-json.ts'
import { single, typeOf, type Delivery, type Verdict } from '../delivery.ts'
import { isSigned } from '../signature.ts'

/**
 * GitHub: the body signed, and nothing else. Who once saw a delivery could send its body under another id or as another event, at any time;
 * so it is known by its bytes too, for good.
 */
export function verifyGithub(delivery: Delivery, secrets: readonly Buffer[]): Verdict {
  const [, signature = ''] = /^sha256=([0-9a-f]{64})$/.exec(single(delivery, 'x-hub-signature-256') ?? '') ?? []
  const genuine = isSigned(secrets, [Buffer.from(signature, 'hex')], delivery.body)
  const id = single(delivery, 'x-github-delivery')
  const type = typeOf(single(delivery, 'x-github-event'))
  if (!genuine) return { refused: 'forged' }
  if (id === undefined || !/^[A-Za-z0-9-]{1,100}$/.test(id) || type === undefined || !parseBoundedJson(delivery.body)) return { refused: 'malformed' }
  const bytes = createHash('sha256').update(delivery.body).digest('hex')
  return { event: { id, type, knownBy: [`id ${id}`, `bytes ${bytes}`], rememberMs: null, body: delivery.body } }
}
