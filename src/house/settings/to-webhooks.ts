import { completeLabel } from '../complete-label.ts'
import type { CastellanFile } from './castellan-file.ts'
import type { WebhookSettings } from './settings.ts'

const kilobyte = 1024

export function toWebhooks({ webhooks }: Pick<CastellanFile, 'webhooks'>): WebhookSettings[] {
  return Object.entries(webhooks).map(([name, webhook]): WebhookSettings => {
    const { secrets, label, lanes, events, kilobytes, per_minute } = webhook
    const common = { name, secrets, events, bytes: kilobytes * kilobyte, perMinute: per_minute, label: completeLabel({ level: label, integrity: 'untrusted', lanes }) }
    return webhook.kind === 'gumroad' ? { ...common, kind: 'gumroad', token: webhook.token, api: webhook.api } : { ...common, kind: webhook.kind }
  })
}

/** Where they are listened for, unless the file says otherwise. */
const standardPort = 7404

/** Null: nothing listens, because nothing is declared. */
export function toWebhookPort({ webhooks, ports }: Pick<CastellanFile, 'webhooks' | 'ports'>): number | null {
  return Object.keys(webhooks).length === 0 ? null : (ports.webhooks ?? standardPort)
}
