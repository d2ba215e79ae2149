import { randomUUID } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { Fault } from '../../kernel/fault.ts'
import { openPool } from '../../kernel/http-pool.ts'
import type { WebhooksView } from '../../server/index.ts'
import { secretBytes, signDelivery, type SignedDelivery } from '../../webhooks/index.ts'
import { exitCodes } from '../command/exit-codes.ts'
import { outcome, type Outcome } from '../command/outcome.ts'
import { ownSecret } from './own-secret.ts'

export interface WebhookTest {
  readonly home: string
  readonly now: Date
  /** Null: nothing listens. */
  readonly port: number | null
  readonly webhook: WebhooksView['webhooks'][number]
  readonly type: string
  /** Holds the body. */
  readonly file?: string
  readonly dryRun: boolean
}

const largestFile = 7_000 * 1024
const answerMs = 15_000
const place = '/hooks/'

/** Delivers an event as its sender would, when the operator can read the secret himself; otherwise says how it would be done. */
export async function testWebhook(test: WebhookTest): Promise<Outcome> {
  const { home, now, port, webhook: { name, kind, secrets }, type, file, dryRun } = test
  if (kind === 'gumroad' && file === undefined) throw new Fault('invalid', 'webhook.sale', 'only a sale that Gumroad knows is taken in; put sale_id=ID into a file and name it with --event')
  const body = file === undefined ? sample(kind, type) : readEvent(file)
  const curl = curlFor(test)
  const secret = secrets.flatMap((one) => {
    const written = ownSecret(home, one)
    const read = written === undefined ? undefined : secretBytes(kind, written)
    return written !== undefined && read && 'bytes' in read ? [{ bytes: read.bytes, written }] : []
  })[0]
  if (dryRun || secret === undefined || port === null) {
    const why = dryRun ? 'nothing was delivered' : port === null ? 'nothing listens for webhooks' : `nothing was delivered: none of the secrets ${secrets.join(', ')} is a file that you can read and others cannot`
    const failure = dryRun ? undefined : { exit: exitCodes.failure, code: 'webhook.not_sent', message: why }
    return outcome({ state: dryRun ? 'dry_run' : 'not_sent', why, curl }, (data) => `${data.why}; a sender would do this:\n${data.curl}`, failure)
  }
  const status = await post(port, name, signDelivery(kind, secret, { body, type, now }), body)
  const failure = status === 202 ? undefined : { exit: exitCodes.failure, code: 'webhook.refused', message: `${name} answered ${status}; \`castellan webhook list\` says why deliveries were refused` }
  return outcome({ state: status === 202 ? 'accepted' : 'refused', status, webhook: name }, (data) => (data.state === 'accepted' ? `${name} answered ${data.status}: it was taken in, or is of a type that is not wanted` : ''), failure)
}

async function post(port: number, name: string, { pathSecret, headers }: SignedDelivery, body: Buffer): Promise<number> {
  const pool = openPool(`http://127.0.0.1:${port}`, { connect: { timeout: answerMs }, headersTimeout: answerMs, bodyTimeout: answerMs })
  try {
    const { statusCode, body: answer } = await pool.request({ path: `${place}${name}${pathSecret === undefined ? '' : `/${pathSecret}`}`, method: 'POST', headers, body })
    await answer.text()
    return statusCode
  } catch (error) {
    throw new Fault('unavailable', 'webhook.unreachable', `the port ${port} does not answer: ${(error as Error).message}`, { port }, error)
  } finally {
    await pool.close()
  }
}

/** Each is another one, so that none is taken for the one before it. */
function sample(kind: string, type: string): Buffer {
  const id = `evt_${randomUUID().replaceAll('-', '')}`
  return Buffer.from(JSON.stringify(kind === 'github' ? { zen: 'A delivery to oneself.', hook: id } : { id, type, data: {} }))
}

function readEvent(file: string): Buffer {
  try {
    if (statSync(file).size > largestFile) throw new Fault('invalid', 'webhook.event', `${file} is larger than any webhook takes in`)
    return readFileSync(file)
  } catch (error) {
    if (error instanceof Fault) throw error
    throw new Fault('missing', 'webhook.event', `the event ${file} cannot be read: ${(error as Error).message}`, {}, error)
  }
}

const signatureHeaders: Readonly<Record<WebhooksView['webhooks'][number]['kind'], readonly string[]>> = {
  standard: ['webhook-id: ID', 'webhook-timestamp: SECONDS', 'webhook-signature: v1,BASE64_HMAC_SHA256_OF_ID.SECONDS.BODY'],
  stripe: ['stripe-signature: t=SECONDS,v1=HEX_HMAC_SHA256_OF_SECONDS.BODY'],
  github: ['x-github-event: TYPE', 'x-github-delivery: ID', 'x-hub-signature-256: sha256=HEX_HMAC_SHA256_OF_BODY'],
  gumroad: [],
}

/** With words in capitals where a sender puts what only he and the operator can make. */
function curlFor({ port, webhook: { kind, path }, file }: WebhookTest): string {
  const type = kind === 'gumroad' ? 'application/x-www-form-urlencoded' : 'application/json'
  const headers = [`content-type: ${type}`, ...signatureHeaders[kind]].map((header) => `-H '${header}'`)
  return ['curl -X POST', `http://127.0.0.1:${port ?? 7404}${path}`, ...headers, `--data-binary @${file === undefined ? 'EVENT.json' : `'${file.replaceAll("'", String.raw`'\''`)}'`}`].join(' ')
}
