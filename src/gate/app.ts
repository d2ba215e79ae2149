import fastify, { type FastifyInstance } from 'fastify'
import type { Clock } from '../kernel/clock.ts'
import type { Database } from '../kernel/database/connect.ts'
import { Fault } from '../kernel/fault.ts'
import { hangUpWhenClosing } from '../kernel/hang-up-when-closing.ts'
import type { Logger } from '../kernel/log.ts'
import type { GateName } from '../labels/index.ts'
import { gateStatus, type Calls, type DeclaredModels, type Routing, type Sessions } from '../models/index.ts'
import { anthropicMessagesRoutes } from './anthropic-messages/routes.ts'
import { geminiRoutes } from './gemini/routes.ts'
import { batchRoutes, type BatchDeps } from './batches/batch-routes.ts'
import type { InFlight } from './in-flight.ts'
import type { Metrics } from './metrics.ts'
import { modelListRoutes } from './model-list/routes.ts'
import { ollamaRoutes } from './ollama/routes.ts'
import { openaiChatRoutes } from './openai-chat/routes.ts'
import { openaiEmbeddingsRoutes } from './openai-embeddings/routes.ts'
import { openaiResponsesRoutes } from './openai-responses/routes.ts'
import { bodyLimit, tellErrors } from './tell-errors.ts'
import { openaiError } from './wire-error.ts'

export interface GateDeps {
  readonly gate: GateName
  readonly database: Pick<Database, 'pool'>
  readonly sessions: Sessions
  readonly calls: Calls
  readonly models: () => DeclaredModels
  readonly resting: Routing['resting']
  readonly inFlight: InFlight
  readonly metrics: Metrics
  readonly batches: BatchDeps['batches']
  readonly clock: Clock
  readonly log: Logger
  /** Hears what a request failed with, before it is answered. */
  readonly onFault?: (error: unknown) => void
  /** Where the loopback port is. */
  readonly address: () => string
}

/** `tcp` is open to every program of this machine, `socket` to those that may enter its folder. */
export type Surface = 'tcp' | 'socket'

/** Milliseconds that a client may take to send a request. */
const requestTimeout = 60_000

/** The wires of a gate on one listener. */
export function createGateApp(deps: GateDeps, surface: Surface): FastifyInstance {
  const app = fastify({ logger: false, bodyLimit, requestTimeout, forceCloseConnections: 'idle', routerOptions: { maxParamLength: 200 } })
  // what a browser may send to any address without asking first
  app.removeContentTypeParser('text/plain')

  if (surface === 'tcp') app.addHook('onRequest', async (request) => checkHost(request.headers.host))

  tellErrors(app, deps, openaiError)
  app.setNotFoundHandler((request, reply) => {
    const { status, body } = openaiError(
      new Fault('missing', 'route.unknown', `there is no ${request.method} ${request.url.split('?')[0]} here; POST /v1/chat/completions, /v1/responses, /v1/embeddings, /v1/messages, /v1beta/models/MODEL:generateContent, /api/chat, /v1/files and /v1/batches, GET /v1/models and /v1beta/models, /healthz and /metrics are`),
    )
    void reply.status(status).send(body)
  })

  app.get('/healthz', async (_request, reply) => {
    const database = await deps.database.pool.query('select 1').then(() => true, () => false)
    return reply.status(database ? 200 : 503).send(
      database
        ? { ok: true, data: { process: `gate-${deps.gate}`, calls: deps.inFlight.size() } }
        : { ok: false, error: { code: 'database.unavailable', message: 'the gate cannot reach the database, so it lets no call through' } },
    )
  })

  app.get('/metrics', async (_request, reply) => reply.type(deps.metrics.contentType).send(await deps.metrics.text()))

  if (surface === 'socket') {
    app.get<{ Querystring: { fresh?: string } }>('/status', async (request) => ({
      ok: true,
      data: await gateStatus(deps.gate, deps.address(), { ...deps.models(), resting: deps.resting }, request.query.fresh !== undefined),
    }))
  }
  app.register(anthropicMessagesRoutes(deps))
  app.register(batchRoutes(deps))
  app.register(geminiRoutes(deps))
  app.register(modelListRoutes(deps))
  app.register(ollamaRoutes(deps))
  app.register(openaiChatRoutes(deps))
  app.register(openaiEmbeddingsRoutes(deps))
  app.register(openaiResponsesRoutes(deps))
  hangUpWhenClosing(app)
  return app
}

/** A page that points its own name at this machine (DNS rebinding) shows its own name here. */
function checkHost(host: string | undefined): void {
  if (host !== undefined && /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/i.test(host)) return
  throw new Fault('refused', 'host_refused', 'this gate answers to 127.0.0.1 and localhost only; use one of them in the base URL')
}
