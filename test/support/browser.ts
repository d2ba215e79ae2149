import type { InjectOptions } from 'fastify'
import type { SessionView } from '../../src/server/api.ts'
import { origin, type TestServer } from './server.ts'

/** A page in a browser: it sends what browsers send by themselves, its cookie, and the token that the page was told. */
export interface Browser {
  readonly cookie: string
  readonly csrf: string
  call(method: 'GET' | 'POST', url: string, changes?: Pick<InjectOptions, 'headers' | 'payload'>): Promise<{ status: number; code: string | undefined; body: { data: unknown } }>
}

export async function signIn(server: TestServer, code?: string) {
  const link = code ?? codeOf((await server.post<{ url: string }>('/api/signin/link')).data.url)
  return server.loopback.inject({ method: 'POST', url: '/api/signin', headers: { host: new URL(origin).host, origin }, payload: { code: link } })
}

export const codeOf = (url: string): string => new URL(url).hash.replace('#signin=', '')

export async function signedInBrowser(server: TestServer): Promise<Browser> {
  const answer = await signIn(server)
  const cookie = String(answer.headers['set-cookie']).split(';')[0]!
  const { csrf } = answer.json<{ data: SessionView }>().data
  return { cookie, csrf, call: (method, url, changes = {}) => call(server, { cookie, csrf }, method, url, changes) }
}

async function call(server: TestServer, { cookie, csrf }: Pick<Browser, 'cookie' | 'csrf'>, method: 'GET' | 'POST', url: string, { headers, payload }: Pick<InjectOptions, 'headers' | 'payload'>) {
  const own = { host: new URL(origin).host, 'sec-fetch-site': 'same-origin', cookie, ...(method === 'POST' && { origin, 'x-csrf-token': csrf }) }
  const all = Object.entries({ ...own, ...headers }).filter(([, value]) => value !== '')
  const response = await server.loopback.inject({ method, url, headers: Object.fromEntries(all) as Record<string, string>, ...(payload !== undefined && { payload }) })
  const body = response.json<{ data: unknown; error?: { code: string } }>()
  return { status: response.statusCode, code: body.error?.code, body }
}
