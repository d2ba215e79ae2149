import type { FastifyInstance, FastifyRequest } from 'fastify'
import { checkDirect, checkExposed, type Exposure } from '../kernel/exposure.ts'
import { Fault } from '../kernel/fault.ts'
import type { Site } from '../outbox/index.ts'

/** Scripts, styles and answers come from this origin alone; nothing may frame the page, and no string becomes a script. */
const policy = [
  `default-src 'none'`, `script-src 'self'`, `style-src 'self'`, `img-src 'self' data:`, `font-src 'self'`, `connect-src 'self'`, `base-uri 'none'`,
  `form-action 'none'`, `frame-ancestors 'none'`, `require-trusted-types-for 'script'`,
].join('; ')

const headers = {
  'content-security-policy': policy,
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'publickey-credentials-get=(self), publickey-credentials-create=(self), camera=(), microphone=(), geolocation=(), payment=(), usb=()',
  'cache-control': 'no-store',
}

/** Stands before every answer, those about errors too: who asks by another name, or from another page, gets nothing done. */
export function guard(app: FastifyInstance, site: () => Site, exposed: () => Exposure | null = () => null): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(headers)
    const { origin } = site()
    // a page elsewhere whose name was made to point here (DNS rebinding) shows itself by its name
    const host = request.headers.host?.toLowerCase() ?? ''
    if (!hostsOf(origin, request).includes(host)) {
      throw new Fault('refused', 'host.unknown', `drafts are signed at ${origin}; this name is not it (outbox.sign_origin in castellan.yaml)`)
    }
    const exposure = exposed()
    if (host !== new URL(origin).host || origin.startsWith('http:')) checkDirect(request.headers)
    else if (exposure) checkExposed(request.headers, origin, exposure)
    // under this name one comes through a proxy, and nobody has said what that proxy has to show
    else throw new Fault('refused', 'expose.absent', `nothing says who may come to ${origin}; write \`expose\` in castellan.yaml (docs/recipes/sign-from-your-phone.md)`)
    if (request.method === 'GET') {
      if (request.url.startsWith('/api/') && ['cross-site', 'same-site'].includes(String(request.headers['sec-fetch-site']))) throw strangePage(origin)
      return
    }
    const fetched = request.headers['sec-fetch-site']
    if (request.headers.origin !== origin || (fetched !== undefined && fetched !== 'same-origin')) throw strangePage(origin)
    if (request.method !== 'DELETE' && !/^application\/json\s*(;\s*charset=utf-8\s*)?$/i.test(request.headers['content-type'] ?? '')) throw strangePage(origin)
  })
}

function hostsOf(origin: string, request: FastifyRequest): string[] {
  const port = request.socket.localPort
  return [new URL(origin).host, `localhost:${port}`, `127.0.0.1:${port}`]
}

function strangePage(origin: string): Fault {
  return new Fault('refused', 'origin.unknown', `only the page at ${origin} may ask this, in JSON`)
}
