import { createHash, randomBytes } from 'node:crypto'
import type { Clock } from '../kernel/clock.ts'
import type { Database } from '../kernel/database/connect.ts'
import { faultPoint } from '../kernel/fault-point.ts'
import { newId } from '../kernel/ids.ts'
import type { WebhookSettings } from '../house/index.ts'
import type { Delivery, GenuineEvent, Refusal, Verdict } from './delivery.ts'
import { findSale } from './find-sale.ts'
import { verifyGithub } from './kinds/github.ts'
import { verifyGumroad } from './kinds/gumroad.ts'
import { verifyStandard } from './kinds/standard.ts'
import { verifyStripe } from './kinds/stripe.ts'
import { secretBytes } from './secret.ts'

export interface ReceiveDeps {
  /** As the listener, who can store and count and nothing else. */
  readonly database: Database
  readonly clock: Clock
  /** As the house says now. */
  webhooks(): readonly WebhookSettings[]
  /** By name; those that the process was given at its start. */
  readonly secrets: Readonly<Record<string, string>>
}

export type Received = { readonly outcome: 'stored' | 'replayed' | 'unwanted' } | { readonly refused: Refusal }

/** Where a delivery to a name goes that is not declared: it is read and verified like any other, so that nobody learns which names there are. */
export const phantom: WebhookSettings = { name: '?', kind: 'github', secrets: [], events: [], bytes: 262_144, perMinute: 120, label: { level: 3, integrity: 'untrusted', lanes: [] } }
const nobodysSecret = randomBytes(32)

/** Those of its secrets that are there and will do. */
export function secretsOf(webhook: WebhookSettings, secrets: Readonly<Record<string, string>>): Buffer[] {
  return webhook.secrets.flatMap(({ secret }) => {
    const written = secrets[secret]
    const read = written === undefined ? undefined : secretBytes(webhook.kind, written)
    return read && 'bytes' in read ? [read.bytes] : []
  })
}

/** Verifies one delivery and stores it, once. What is answered is decided elsewhere. */
export async function receive(deps: ReceiveDeps, webhook: WebhookSettings, delivery: Omit<Delivery, 'now'>): Promise<Received> {
  const secrets = secretsOf(webhook, deps.secrets)
  const verdict = await verify(deps, webhook, { ...delivery, now: deps.clock.now() }, secrets.length > 0 ? secrets : [nobodysSecret])
  if (webhook === phantom) return { refused: 'unknown' }
  if (secrets.length === 0) return { refused: 'unready' }
  return 'refused' in verdict ? verdict : store(deps, webhook.name, verdict.event)
}

async function verify(deps: ReceiveDeps, webhook: WebhookSettings, delivery: Delivery, secrets: readonly Buffer[]): Promise<Verdict> {
  switch (webhook.kind) {
    case 'standard':
      return verifyStandard(delivery, secrets)
    case 'stripe':
      return verifyStripe(delivery, secrets)
    case 'github':
      return verifyGithub(delivery, secrets)
    case 'gumroad':
      return verifyGumroad(delivery, secrets, async (id) => {
        const token = deps.secrets[webhook.token.secret]
        return token === undefined ? { unavailable: 'its token is missing' } : findSale({ api: webhook.api, token, bytes: webhook.bytes }, id)
      })
  }
}

async function store({ database, clock }: ReceiveDeps, source: string, event: GenuineEvent): Promise<Received> {
  const keys = event.knownBy.map((key) => createHash('sha256').update(key).digest())
  faultPoint('webhook.store:before')
  try {
    const { rows } = await database.pool.query<{ outcome: 'stored' | 'replayed' | 'unwanted' }>(
      `select inbound_store($1, $2, $3, $4, $5, $6::bigint * interval '1 ms', $7, $8) as outcome`,
      [newId(), source, event.id, event.type, keys, event.rememberMs, event.body, clock.now()],
    )
    faultPoint('webhook.store:after')
    return { outcome: rows[0]!.outcome }
  } catch (error) {
    // the house was changed at this moment, and the database knows it first
    if ((error as { code?: string }).code === 'CA404') return { refused: 'unready' }
    throw error
  }
}
