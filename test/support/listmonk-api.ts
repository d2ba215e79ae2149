import type { TestContext } from 'node:test'
import { startHttpReceiver } from './http-receiver.ts'

export const listmonkUser = 'castellan'
export const listmonkToken = 'token-of-the-api-user'

export interface TestCampaign {
  readonly id: number
  name: string
  subject: string
  body: string
  altbody: string | null
  readonly from_email: string
  readonly content_type: string
  readonly template_id: number
  readonly lists: { readonly id: number; readonly name: string }[]
  status: string
  sent: number
  to_send: number
}

/** The part of listmonk's API that lists and campaigns need, on loopback, with the moves of a campaign that listmonk allows and what it says to others. `adds` is what it writes into a body by itself. */
export async function startListmonkApi(t: TestContext, { adds = '' }: { adds?: string } = {}) {
  const lists = [
    { id: 3, name: 'Readers', type: 'public', optin: 'double', status: 'active', subscriber_count: 4_300, subscriber_statuses: { confirmed: 4_000, unconfirmed: 200, unsubscribed: 100 } as Record<string, number> },
    { id: 4, name: 'Friends', type: 'private', optin: 'single', status: 'active', subscriber_count: 12, subscriber_statuses: { confirmed: 5, unconfirmed: 5, unsubscribed: 2 } },
    { id: 5, name: 'Old', type: 'private', optin: 'single', status: 'archived', subscriber_count: 9, subscriber_statuses: {} }, { id: 6, name: 'Empty', type: 'private', optin: 'single', status: 'active', subscriber_count: 0, subscriber_statuses: {} },
  ]
  const campaigns: TestCampaign[] = []
  const moves: Readonly<Record<string, readonly string[]>> = { running: ['draft', 'paused'], paused: ['running'], cancelled: ['running', 'paused'] }
  let count = 40
  const server = await startHttpReceiver(t, {
    answer({ method, path, headers, body }) {
      const say = (status: number, value: unknown) => ({ status, body: JSON.stringify(value) })
      const page = (results: unknown[]) => say(200, { data: { results, query: '', total: results.length, per_page: results.length, page: 1 } })
      const { pathname, searchParams } = new URL(path, 'http://localhost')
      if (headers.authorization !== `Basic ${Buffer.from(`${listmonkUser}:${listmonkToken}`).toString('base64')}`) return say(403, { message: 'invalid API credentials' })
      if (method === 'GET' && pathname === '/api/lists') return page(lists)
      if (method === 'GET' && pathname === '/api/campaigns') return page([...campaigns].reverse().map((one) => (searchParams.get('no_body') === 'true' ? { ...one, body: '' } : one)))
      if (method === 'POST' && pathname === '/api/campaigns') {
        const { lists: ids, template_id: template = 1, ...asked } = JSON.parse(body.toString()) as Omit<TestCampaign, 'lists'> & { lists: number[] }
        if (asked.name.length > 2_000 || asked.subject.length > 2_000) return say(400, { message: 'Invalid length for subject.' })
        const made = { ...asked, body: `${asked.body}${adds}`, id: (count += 1), template_id: template, lists: ids.map((id) => ({ id, name: lists.find((one) => one.id === id)!.name })), status: 'draft', sent: 0, to_send: 0 }
        campaigns.push(made)
        return say(200, { data: made })
      }
      const [, id, status] = /^\/api\/campaigns\/(\d+)(\/status)?$/.exec(pathname) ?? []
      const found = campaigns.find((one) => one.id === Number(id))
      if (!found) return say(400, { message: 'Campaign not found.' })
      if (status !== undefined) {
        const { status: to } = JSON.parse(body.toString()) as { status: string }
        if (!(moves[to] ?? []).includes(found.status)) return say(400, { message: to === 'running' ? 'Only paused campaigns and drafts can be started.' : 'Only active campaigns can be cancelled.' })
        found.status = to
        if (to === 'running') Object.assign(found, { to_send: 4_000, sent: 0 })
        return say(200, { data: found })
      }
      if (method === 'DELETE') campaigns.splice(campaigns.indexOf(found), 1)
      return say(200, { data: method === 'DELETE' ? true : found })
    },
  })
  return { server, lists, campaigns, started: () => campaigns.filter(({ status }) => status !== 'draft') }
}
