import { createHash } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import type { Logger } from '../kernel/log.ts'
import { Fault } from '../kernel/fault.ts'
import { bareApp } from './bare-app.ts'
import { indexPage, pageStyle } from './index-page.ts'
import type { Readiness } from './readiness.ts'

const styleHash = createHash('sha256').update(pageStyle).digest('base64')
const policy = `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

/** What any program on this machine may see: whether Castellan is well, and a page that says what to type. No data. */
export function createLoopbackApp({ log, readiness }: { log: Logger; readiness: Readiness }): FastifyInstance {
  const app = bareApp(log)
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({
      'content-security-policy': policy,
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    })
    // a page elsewhere whose name was made to point here (DNS rebinding) shows itself by its name
    if (!isLoopbackName(request.headers.host)) {
      throw new Fault('refused', 'host.unknown', 'this server answers to 127.0.0.1 and localhost only')
    }
  })
  app.get('/healthz', async () => ({ ok: true, data: { state: 'alive' } }))
  app.get('/readyz', async (_request, reply) => {
    const data = await readiness.look()
    return data.state === 'ready'
      ? { ok: true, data }
      : reply.status(503).send({ ok: false, error: { code: 'server.not_ready', message: describe(data.parts), details: data } })
  })
  app.get('/', async (_request, reply) => reply.type('text/html; charset=utf-8').send(indexPage()))
  return app
}

function isLoopbackName(host: string | undefined): boolean {
  return host !== undefined && /^(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/i.test(host)
}

function describe(parts: readonly { name: string; state: string; ready: boolean }[]): string {
  return parts.filter((part) => !part.ready).map((part) => `${part.name}: ${part.state}`).join('; ')
}
