import { createHmac } from 'node:crypto'
import type { WebhookConnectorSettings } from '../../house/index.ts'
import { systemClock, type Clock } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/fault.ts'
import { actOf } from '../compose/outbound.ts'
import { composeWebhook } from '../compose/request.ts'
import { sha256 } from '../document.ts'
import type { Connector } from './connector.ts'
import { openConnection, type Network } from './http/connection.ts'
import { exchange, type HttpPatience } from './http/exchange.ts'
import { judgeStatus } from './http/judge-status.ts'
import { checkBytes } from './check-bytes.ts'

export interface WebhookOptions extends Pick<WebhookConnectorSettings, 'name' | 'url'> {
  /** The secret: its name, and its value when there is one. */
  readonly secret: { readonly secret: string; readonly value: string | undefined }
  readonly network: Network
  readonly clock?: Clock
  readonly patience?: Partial<HttpPatience>
}

const reachMs = 10_000

/**
 * Notifies one address, signed as Standard Webhooks asks for: id, time and body by HMAC-SHA256. The id is the nonce of the
 * draft, the same at each try, so that a receiver takes a second one for the first.
 */
export function createWebhookConnector({ name, url, secret, network, clock = systemClock, patience }: WebhookOptions): Connector {
  const adds = `The releaser adds webhook-id (the nonce of this draft), webhook-timestamp, and webhook-signature by the secret ${secret.secret}.`
  return {
    name,
    kind: 'webhook',
    account: url,
    zone: 'internet',
    from: url,
    accepts: (kind) => kind === 'webhook',
    compose: async (_kind, payload, frame) => composeWebhook(payload, frame, { url, adds }),
    async deliver(wire, document, signal, commit) {
      const { body, headers, ...act } = actOf(wire, ['webhook'], url)
      const key = keyOf(secret)
      if (act.url !== url || act.method !== 'POST' || body === null) throw new Fault('refused', 'connector.not_sent', `the bytes lead to ${act.url}, and this connector to ${url}; nothing was sent`)
      checkBytes(wire, document)
      const seconds = String(Math.floor(clock.now().getTime() / 1_000))
      const answer = await exchange(
        {
          method: 'POST', url, body: Buffer.from(body),
          headers: { ...Object.fromEntries(headers.map((header) => [header.name, header.value])), 'webhook-id': document.nonce, 'webhook-timestamp': seconds, 'webhook-signature': signWebhook(key, document.nonce, seconds, body) },
        },
        { network, signal, commit, patience },
      )
      const { host } = new URL(url)
      const fault = judgeStatus(host, answer.status, answer.headers, { isIdempotent: true })
      if (fault) throw fault
      return { host, reply: String(answer.status), webhook_id: document.nonce, sha256: sha256(body), length: Buffer.byteLength(body) }
    },
    async reach(signal) {
      keyOf(secret)
      ;(await openConnection(new URL(url), network, { milliseconds: reachMs, signal })).destroy()
      return `${new URL(url).host} takes connections`
    },
  }
}

/** `v1,` and the HMAC-SHA256 over id, time and body, in base64 (standardwebhooks.com, specification 1.0). */
export function signWebhook(key: Buffer, id: string, seconds: string, body: string): string {
  return `v1,${createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')}`
}

/** 24 to 64 bytes in base64, behind `whsec_`. */
function keyOf({ secret, value }: WebhookOptions['secret']): Buffer {
  const fail = (what: string) => new Fault('refused', 'connector.not_sent', `${what}; nothing was sent. Put the secret that its receiver knows (whsec_…) into $CASTELLAN_HOME/secrets/${secret}`)
  if (value === undefined) throw fail(`there is no secret ${secret}`)
  const text = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(value)?.[1]
  const key = Buffer.from(text ?? '', 'base64')
  if (key.length < 24 || key.length > 64) throw fail(`the secret ${secret} is not one of Standard Webhooks`)
  return key
}
