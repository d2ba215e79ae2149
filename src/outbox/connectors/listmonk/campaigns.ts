import { z } from 'zod'
import { Fault } from '../../../kernel/fault.ts'
import type { AddressedList, NewsletterAct } from '../../acts/newsletter-act.ts'
import type { Network } from '../http/connection.ts'
import { exchange, type Answer, type HttpPatience } from '../http/exchange.ts'
import { judgeStatus } from '../http/judge-status.ts'
import { readAnswer, showSaid } from '../http/read-answer.ts'

export interface CampaignsOptions {
  readonly url: string
  readonly user: string
  /** The secret: its name, and its value when there is one. */
  readonly token: { readonly secret: string; readonly value: string | undefined }
  readonly network: Network
  readonly patience?: Partial<HttpPatience> | undefined
}

export interface Ask {
  readonly signal: AbortSignal
  readonly commit?: (() => Promise<void>) | undefined
}

const longestAnswer = 8 * 1024 * 1024

const refusalSchema = z.object({ message: z.string() })
const listSchema = z.object({
  id: z.int().positive(), name: z.string(), optin: z.string().catch('single'), status: z.string().catch('active'), subscriber_count: z.int().nonnegative(),
  subscriber_statuses: z.record(z.string(), z.int().nonnegative()).nullish(),
})
const campaignSchema = z.object({
  id: z.int().positive(), name: z.string(), status: z.string(), subject: z.string(), from_email: z.string(), body: z.string().catch(''), altbody: z.string().nullish(), content_type: z.string(),
  template_id: z.int().nullish(), sent: z.int().catch(0), to_send: z.int().catch(0), lists: z.array(z.object({ id: z.int() })),
})
export type Campaign = z.infer<typeof campaignSchema>

const pageOf = <T extends z.ZodType>(one: T) => z.object({ data: z.object({ results: z.array(one) }) })
const oneOf = <T extends z.ZodType>(one: T) => z.object({ data: one })

/** What of listmonk's API a newsletter needs. A campaign goes from draft to running once: a second start is refused there. */
export function createCampaigns({ url, user, token, network, patience }: CampaignsOptions) {
  const { host } = new URL(url)

  async function call<T>(schema: z.ZodType<T>, method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, { signal, commit = async () => {} }: Ask, body?: object): Promise<T> {
    const headers = { accept: 'application/json', authorization: `Basic ${Buffer.from(`${user}:${tokenOf(token)}`).toString('base64')}`, ...(body && { 'content-type': 'application/json' }) }
    const answer: Answer = await exchange({ method, url: `${url}${path}`, headers, body: body === undefined ? null : Buffer.from(JSON.stringify(body)) }, { network, signal, commit, patience, reads: longestAnswer })
    const said = readAnswer(refusalSchema, answer.body)?.message
    const fault = judgeStatus(host, answer.status, answer.headers, { isQuestion: method === 'GET', isIdempotent: true, said: said && showSaid(said, token.value) })
    if (fault) throw fault
    const found = readAnswer(schema, answer.body)
    if (found === undefined) throw new Fault('unavailable', 'connector.unknown', `${host} answered ${answer.status} and not what listmonk's API answers`)
    return found
  }

  return {
    /** Every list that is in use, with those on it who would get a newsletter. */
    async lists(ask: Ask): Promise<AddressedList[]> {
      const { data } = await call(pageOf(listSchema), 'GET', '/api/lists?per_page=all', ask)
      return data.results.filter(({ status }) => status !== 'archived').map((list) => ({ id: list.id, name: list.name, people: readersOf(list) }))
    },
    /** Those of that name, among the newest. */
    async named(name: string, ask: Ask): Promise<Campaign[]> {
      const { data } = await call(pageOf(campaignSchema), 'GET', '/api/campaigns?order_by=created_at&order=DESC&page=1&per_page=100&no_body=true', ask)
      return data.results.filter((one) => one.name === name)
    },
    get: async (id: number, ask: Ask): Promise<Campaign> => (await call(oneOf(campaignSchema), 'GET', `/api/campaigns/${id}`, ask)).data,
    /** Nobody gets it yet. */
    async draft({ campaign, subject, lists, from, html, text, template }: NewsletterAct, ask: Ask): Promise<Campaign> {
      const body = {
        name: campaign, subject, lists: lists.map(({ id }) => id), from_email: from, type: 'regular', content_type: 'html', messenger: 'email', body: html, altbody: text, archive: false, tags: ['castellan'],
        ...(template !== null && { template_id: template }),
      }
      return (await call(oneOf(campaignSchema), 'POST', '/api/campaigns', ask, body)).data
    },
    async move(id: number, status: 'running' | 'cancelled', ask: Ask): Promise<void> {
      await call(z.unknown(), 'PUT', `/api/campaigns/${id}/status`, ask, { status })
    },
    async remove(id: number, ask: Ask): Promise<void> {
      await call(z.unknown(), 'DELETE', `/api/campaigns/${id}`, ask)
    },
  }
}

/** Is it what was signed, and nothing else? */
export function isSame(found: Campaign, { subject, from, html, text, lists, template }: NewsletterAct): boolean {
  const ids = (all: readonly { readonly id: number }[]) => all.map(({ id }) => id).sort((a, b) => a - b).join()
  return found.subject === subject && found.from_email === from && found.content_type === 'html' && found.body === html && (found.altbody ?? '') === text && ids(found.lists) === ids(lists)
    && (template === null || found.template_id === template)
}

/** With a double opt-in only those get it who confirmed; nobody does who unsubscribed. */
function readersOf({ optin, subscriber_count: all, subscriber_statuses: by }: z.infer<typeof listSchema>): number {
  if (by == null || Object.keys(by).length === 0) return all
  return optin === 'double' ? (by['confirmed'] ?? 0) : (by['confirmed'] ?? 0) + (by['unconfirmed'] ?? 0)
}

function tokenOf({ secret, value }: CampaignsOptions['token']): string {
  if (value !== undefined && /^[\x21-\x7e]{8,500}$/.test(value)) return value
  throw new Fault('refused', 'connector.not_sent', `there is no secret ${secret}, or it is no token; nothing was sent. Put the token of an API user of listmonk into $CASTELLAN_HOME/secrets/${secret}`)
}
