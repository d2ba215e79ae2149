import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Fault } from '../kernel/fault.ts'
import type { ServerDeps } from './app.ts'
import { bareApp } from './bare-app.ts'
import { createHouseMetrics } from './metrics.ts'
import { closedPolicy, pageRoutes } from './pages.ts'
import { apiRoutes } from './routes/api.ts'
import { eventRoutes, type EventDeps } from './routes/events.ts'
import { ownSessionRoutes, signinRoutes } from './routes/sessions.ts'
import { createBrowserGuard } from './signin/browser-guard.ts'
import { createOwnNames, type NamesDeps } from './signin/own-names.ts'

/** Its origin is known once it listens. */
export interface LoopbackDeps extends ServerDeps, EventDeps, NamesDeps {
  /** The built dashboard. */
  readonly pages: string
  readonly mostRequests?: number
}

/** What a browser on this machine may see, and one elsewhere under the name that is exposed: whether Castellan is well, the dashboard without data, and data behind a session. */
export function createLoopbackApp(deps: LoopbackDeps): FastifyInstance {
  const { readiness, sessions, pages } = deps
  const app = bareApp(deps.log, deps)
  const names = createOwnNames(deps)
  const guard = createBrowserGuard({ ...deps, names })
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({
      'content-security-policy': closedPolicy,
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'cache-control': 'no-store',
    })
    names.admit(request.headers)
  })
  app.get('/healthz', async () => ({ ok: true, data: { state: 'alive' } }))
  app.get('/readyz', async (_request, reply) => {
    const data = await readiness.look()
    return data.state === 'ready'
      ? { ok: true, data }
      : reply.status(503).send({ ok: false, error: { code: 'server.not_ready', message: describe(data.parts), details: data } })
  })
  const metrics = createHouseMetrics(deps.database)
  app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()))
  app.register(signinRoutes(sessions, guard), { prefix: '/api' })
  app.register(async (admitted) => {
    admitted.addHook('onRequest', (request, reply) => guard.admit(request, reply))
    admitted.register(apiRoutes(deps, 'browser'))
    admitted.register(ownSessionRoutes(sessions, guard))
    admitted.register(eventRoutes(deps, (request) => sessions.isOpen(guard.sessionOf(request).id)))
    admitted.all('/*', missing)
  }, { prefix: '/api' })
  app.register(pageRoutes(pages, deps.origin, names))
  return app
}

/** Only who is signed in learns which routes there are. */
async function missing(request: FastifyRequest): Promise<never> {
  throw new Fault('missing', 'route.missing', `there is no ${request.method} ${request.url.split('?')[0]}`)
}

function describe(parts: readonly { name: string; state: string; ready: boolean }[]): string {
  return parts.filter((part) => !part.ready).map((part) => `${part.name}: ${part.state}`).join('; ')
}
