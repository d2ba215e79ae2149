import canonicalize from 'canonicalize'
import { z } from 'zod'
import { Fault } from '../../kernel/fault.ts'
import { oneLine } from '../acts/cut-text.ts'
import type { Composed, Finding, Frame } from './composed.ts'
import { composeOutbound, readPayload } from './outbound.ts'
import { spendingOf, type SpendingShape } from './spending.ts'
import { readBody, refuseControls } from './text.ts'

const longestBody = 512 * 1024
const notCalledBack = 'Afterwards nothing calls it back; what undoes it at the other side, you ask for there.'

const webhookPayload = z.strictObject({ body: z.record(z.string(), z.json()).describe('an object, sent as JSON') })

/** A notice to the one declared address. @throws Fault `draft.payload`, `draft.body` */
export function composeWebhook(payload: unknown, frame: Frame, { url, adds }: { url: string; adds: string }): Composed {
  const { body } = readPayload(webhookPayload, payload, 'webhook')
  const text = checkBody(canonicalize(body)!)
  const { host } = new URL(url)
  const type = typeof body['type'] === 'string' ? oneLine(body['type'], 100) : ''
  return composeOutbound(
    { kind: 'webhook', method: 'POST', url, headers: [{ name: 'content-type', value: 'application/json' }], body: text, adds }, frame,
    { title: `Notify ${host}${type === '' ? '' : `: ${type}`}`, to: [url], undo: notCalledBack },
  )
}

const headerName = z.string().regex(/^[a-z0-9!#$%&'*+.^_`|~-]{1,100}$/, 'the name of a header is in small letters')
const requestPayload = z.strictObject({
  method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']),
  path: z.string().regex(/^\/[\x21-\x7e]{0,4000}$/, 'a path begins with / and holds printable ASCII, the rest percent-encoded').describe('with its query; below the declared address'),
  headers: z.record(headerName, z.string().regex(/^[\x20-\x7e]{0,2000}$/, 'a header is one line of ASCII')).default({}),
  body: z.union([z.string(), z.record(z.string(), z.json())]).nullish().describe('a text as it is, or an object that is sent as JSON'),
})

/** Headers that steer the connection, say who asks, or make a server take one request for two. */
const ofTheReleaser = /^(?:host|content-length|transfer-encoding|connection|keep-alive|upgrade|expect|te|trailer|via|forwarded|authorization|cookie2?|set-cookie|x-forwarded-.*|proxy-.*|sec-.*|x-http-method.*|x-method-override)$/

export interface RequestTarget {
  /** Scheme, host and the beginning of every path, without `/` at the end. */
  readonly url: string
  readonly methods: readonly string[]
  /** The header that the releaser fills. */
  readonly credential: string | undefined
  readonly adds: string
  /** Left out: it spends nothing. */
  readonly spends?: SpendingShape | undefined
}

/** A request to the declared host. @throws Fault `draft.payload`, `draft.body`, `draft.request` */
export function composeRequest(payload: unknown, frame: Frame, target: RequestTarget): Composed {
  const { method, path, headers, body } = readPayload(requestPayload, payload, 'request')
  if (!target.methods.includes(method)) throw refused(`${method} is not among the methods that castellan.yaml allows it: ${target.methods.join(', ')}`)
  const url = `${target.url}${path}`
  // a path that a URL parser makes another of could be read as two things
  if (path.startsWith('//') || /[#\\]|%(?:2e|2f|5c|00)/i.test(path) || !URL.canParse(url) || new URL(url).href !== url) throw refused(`${JSON.stringify(path.slice(0, 200))} is not a plain path: write it without //, .., \\ and #`)
  for (const [name, value] of Object.entries(headers)) {
    if (ofTheReleaser.test(name) || name === target.credential) throw refused(`the header ${name} is the releaser's`)
    refuseControls(name, value)
  }
  const text = body === undefined || body === null ? null : checkBody(typeof body === 'string' ? body : canonicalize(body)!)
  if (text !== null && (method === 'GET' || method === 'HEAD')) throw refused(`${method} has no body`)
  const typed = text !== null && typeof body !== 'string' && headers['content-type'] === undefined ? { ...headers, 'content-type': 'application/json' } : headers
  const { host } = new URL(url)
  const spent = target.spends && method !== 'GET' && method !== 'HEAD' ? spendingOf(text, target.spends) : undefined
  const findings: Finding[] = [...(method === 'DELETE' ? [{ add: 3, why: 'it deletes something at the other side' }] : []), ...(spent ? [spent.finding] : [])]
  return composeOutbound(
    { kind: 'http.request', method, url, headers: Object.entries(typed).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => ({ name, value })), body: text, adds: target.adds }, frame,
    { title: `${spent?.words === undefined ? '' : `Spend ${spent.words}: `}${method} ${new URL(url).pathname} at ${host}`.slice(0, 300), to: [`${host} (${method})`], undo: notCalledBack, findings },
  )
}

function checkBody(text: string): string {
  if (Buffer.byteLength(text) > longestBody) throw new Fault('invalid', 'draft.body', `the body is larger than ${longestBody / 1024} kB`)
  // a body is sent as it is, so that what another line end would make of it is refused and not mended
  if (readBody('body', text) !== text) throw new Fault('invalid', 'draft.body', 'the body has CR LF line ends; write LF')
  return text
}

function refused(why: string): Fault {
  return new Fault('refused', 'draft.request', `this request cannot be made: ${why}`)
}
