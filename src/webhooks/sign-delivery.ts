import { randomUUID } from 'node:crypto'
import type { WebhookSettings } from '../house/index.ts'
import { hmac } from './signature.ts'

export interface SignedDelivery {
  /** What follows the name in the path. */
  readonly pathSecret?: string
  readonly headers: Readonly<Record<string, string>>
}

/** A delivery as its sender would make it, for a try by the operator who has the secret. */
export function signDelivery(
  kind: WebhookSettings['kind'], secret: { readonly bytes: Buffer; readonly written: string }, { body, type, now }: { readonly body: Buffer; readonly type: string; readonly now: Date },
): SignedDelivery {
  const seconds = String(Math.floor(now.getTime() / 1_000))
  const json = { 'content-type': 'application/json' }
  switch (kind) {
    case 'standard': {
      const id = `msg_${randomUUID()}`
      return { headers: { ...json, 'webhook-id': id, 'webhook-timestamp': seconds, 'webhook-signature': `v1,${hmac(secret.bytes, `${id}.${seconds}.`, body).toString('base64')}` } }
    }
    case 'stripe':
      return { headers: { ...json, 'stripe-signature': `t=${seconds},v1=${hmac(secret.bytes, `${seconds}.`, body).toString('hex')}` } }
    case 'github':
      return { headers: { ...json, 'x-github-event': type, 'x-github-delivery': randomUUID(), 'x-hub-signature-256': `sha256=${hmac(secret.bytes, body).toString('hex')}` } }
    case 'gumroad':
      return { pathSecret: secret.written, headers: { 'content-type': 'application/x-www-form-urlencoded' } }
  }
}
