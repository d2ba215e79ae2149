import { createHmac, randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { connect as connectSocket, type AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { pino } from 'pino'
import { request } from 'undici'
import type { WebhookSettings } from '../../src/house/index.ts'
import { createManualClock } from '../../src/kernel/clock.ts'
import { listenOnLoopback } from '../../src/kernel/listen.ts'
import { createWebhookApp } from '../../src/webhooks/routes.ts'
import { createTally } from '../../src/webhooks/tally.ts'
import { testDatabase, type TestDatabase } from './database.ts'

export type Headers = Record<string, string | string[]>

export interface TestListener {
  readonly database: TestDatabase
  readonly clock: ReturnType<typeof createManualClock>
  readonly url: string
  /** How often it said that something was stored. */
  readonly stored: () => number
  /** Status and body of the answer. */
  post(path: string, headers: Headers, body?: string | Buffer): Promise<{ status: number; text: string; headers: Record<string, unknown> }>
  /** Bytes on a connection of its own, and what came back until it was closed. */
  raw(text: string): Promise<string>
  events(): Promise<{ source: string; event_id: string; type: string; body: string }[]>
  counts(): Promise<Record<string, number>>
}

export const secrets = {
  hub: 'a secret of the hub, long enough', old: 'the secret before that one, long enough', shop: 'shop-path-secret-1234', token: 'gumroad-token',
  pay: 'whsec_stripe-secret-of-the-endpoint', std: `whsec_${Buffer.from('a key of twenty-four bytes').toString('base64')}`,
} as const

/** A webhook of the house with its defaults. */
export function webhook(name: string, kind: 'standard' | 'stripe' | 'github', more: Partial<WebhookSettings> = {}): WebhookSettings {
  return { name, kind, secrets: [{ secret: name }], events: [], bytes: 262_144, perMinute: 1_000, label: { level: 2, integrity: 'untrusted', lanes: ['private'] }, ...more } as WebhookSettings
}

export async function declareWebhooks(database: TestDatabase, webhooks: readonly WebhookSettings[]): Promise<void> {
  await database.owner.pool.query('update house set current = false')
  await database.owner.pool.query('insert into house (digest, settings, current) values ($1, $2, true)', [randomUUID(), JSON.stringify({ settings: { webhooks } })])
}

/** The listener on a port of its own, as its role, with a clock that stands. */
export async function testListener(t: TestContext, webhooks: readonly WebhookSettings[], options: { bodyMs?: number; secrets?: Record<string, string> } = {}): Promise<TestListener> {
  const database = await testDatabase(t)
  await declareWebhooks(database, webhooks)
  const clock = createManualClock(new Date('2026-11-20T08:00:00Z'))
  const log = pino({ level: 'silent' })
  const role = database.as('castellan_listener')
  const tally = createTally({ database: role, clock, log })
  let stored = 0
  const app = createWebhookApp({
    database: role, clock, log, tally, webhooks: () => webhooks, secrets: options.secrets ?? secrets, onStored: () => (stored += 1),
    ...(options.bodyMs !== undefined && { bodyMs: options.bodyMs }),
  })
  const url = await listenOnLoopback(app, 0, 'ports.webhooks')
  t.after(async () => {
    await app.close()
    await tally.close()
  })
  return {
    database, clock, url, stored: () => stored,
    async post(path, headers, body = '') {
      const answer = await request(`${url}${path}`, { method: 'POST', headers, body })
      return { status: answer.statusCode, text: await answer.body.text(), headers: answer.headers }
    },
    raw: (text) => exchange(Number(new URL(url).port), text),
    async events() {
      const { rows } = await database.owner.pool.query<{ source: string; event_id: string; type: string; body: Buffer }>('select source, event_id, type, body from inbound_event order by received_at, event_id')
      return rows.map((row) => ({ ...row, body: row.body.toString() }))
    },
    async counts() {
      await tally.flush()
      const { rows } = await database.owner.pool.query<{ source: string; outcome: string; count: number }>('select source, outcome, sum(count)::int as count from inbound_tally group by 1, 2')
      return Object.fromEntries(rows.map(({ source, outcome, count }) => [`${source} ${outcome}`, count]))
    },
  }
}

function exchange(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = ''
    const socket = connectSocket(port, '127.0.0.1', () => socket.write(text))
    socket.on('data', (chunk) => (answer += chunk.toString()))
    socket.on('error', () => {}).on('close', () => resolve(answer))
  })
}

const sha256 = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text)

/** A push as GitHub sends it. */
export function githubHeaders(body: string, { secret = secrets.hub as string, delivery = randomUUID() as string, event = 'push' } = {}): Headers {
  return { 'content-type': 'application/json', 'x-github-event': event, 'x-github-delivery': delivery, 'x-hub-signature-256': `sha256=${sha256(secret, body).digest('hex')}` }
}

export function stripeHeaders(body: string, { secret = secrets.pay as string, at }: { secret?: string; at: Date }): Headers {
  const seconds = Math.floor(at.getTime() / 1000)
  return { 'content-type': 'application/json; charset=utf-8', 'stripe-signature': `t=${seconds},v1=${sha256(secret, `${seconds}.${body}`).digest('hex')},v0=${'0'.repeat(64)}` }
}

export function standardHeaders(body: string, { secret = secrets.std as string, id = 'msg_1', at, more = '' }: { secret?: string; id?: string; at: Date; more?: string }): Headers {
  const seconds = Math.floor(at.getTime() / 1000)
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64')
  return { 'content-type': 'application/json', 'webhook-id': id, 'webhook-timestamp': String(seconds), 'webhook-signature': `${more}v1,${sha256(key, `${id}.${seconds}.${body}`).digest('base64')}` }
}

/** Gumroad's API as far as sales go: what it was asked, and with which authorization. */
export async function salesApi(t: TestContext, sales: Record<string, object>): Promise<{ url: string; asked: string[]; down: (status: number | undefined) => void }> {
  const asked: string[] = []
  let status: number | undefined
  const server = createServer((incoming, answer) => {
    asked.push(`${incoming.headers.authorization} ${incoming.url}`)
    const id = decodeURIComponent(/^\/v2\/sales\/(.*)$/.exec(incoming.url ?? '')?.[1] ?? '')
    const sale = sales[id]
    answer.writeHead(status ?? (sale ? 200 : 404), { 'content-type': 'application/json', location: 'http://127.0.0.1:1/' })
    answer.end(JSON.stringify(sale ? { success: true, sale } : { success: false, message: 'not found' }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, down: (wanted) => (status = wanted) }
}
