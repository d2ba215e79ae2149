import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { WebhookSettings } from '../house/index.ts'
import { hangUpWhenClosing } from '../kernel/hang-up-when-closing.ts'
import type { Logger } from '../kernel/log.ts'
import type { Delivery, Refusal } from './delivery.ts'
import { createRate } from './rate.ts'
import { readBody } from './read-body.ts'
import { phantom, receive, secretsOf, type ReceiveDeps } from './receive.ts'
import type { Tally } from './tally.ts'

export interface ListenerDeps extends ReceiveDeps {
  readonly log: Logger
  readonly tally: Pick<Tally, 'refuse'>
  /** Something was stored; only a hint. */
  onStored(): void
  /** How long a body may take. */
  readonly bodyMs?: number
}

const limits = { headersMs: 5_000, bodyMs: 10_000, connections: 128, bodiesAtOnce: 32 } as const

/** What is answered. Who cannot sign learns nothing: a name that is not there, a forged signature and an old one look the same. */
const statuses: Readonly<Record<Refusal, number>> = {
  unknown: 404, forged: 404, late: 404, type: 404,
  malformed: 400, // only to who can sign
  size: 413, slow: 408, rate: 429, unready: 503,
}

/** The one app that may be reached from elsewhere. It answers POST /hooks/NAME, with a status and no word; everything else is a 404. */
export function createWebhookApp(deps: ListenerDeps): FastifyInstance {
  const { bodyMs = limits.bodyMs } = deps
  const app = fastify({
    logger: false, exposeHeadRoutes: false, forceCloseConnections: 'idle', requestTimeout: limits.headersMs + bodyMs,
    http: { headersTimeout: limits.headersMs, connectionsCheckingInterval: 1_000 },
    frameworkErrors: (_error, _request, reply) => void nothing(reply, 404),
    clientErrorHandler: (_error, socket) => void (socket.writable ? socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n') : socket.destroy()),
  }) as unknown as FastifyInstance
  app.server.maxConnections = limits.connections
  hangUpWhenClosing(app)
  // nobody reads a body before it is known how much of it will be read
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  const rate = createRate(deps.clock)
  let reading = 0

  app.setNotFoundHandler((_request, reply) => nothing(reply, 404))
  app.setErrorHandler((error, _request, reply) => {
    const status = (error as { statusCode?: number }).statusCode ?? 500
    if (status >= 500) deps.log.error({ err: error }, 'a delivery could not be taken in')
    return nothing(reply, status >= 500 ? 503 : 404)
  })
  app.addHook('onSend', async (request, reply) => {
    // what was not read to its end is not read any more
    if (!request.raw.complete) reply.header('connection', 'close')
  })

  async function deliver(request: FastifyRequest<{ Params: { name: string; secret?: string } }>, reply: FastifyReply): Promise<FastifyReply> {
    const { name, secret } = request.params
    const webhook = deps.webhooks().find((one) => one.name === name) ?? phantom
    const refusal = await take(request, webhook, secret)
    if (refusal === undefined) return nothing(reply, 202)
    deps.tally.refuse(webhook.name, refusal)
    // a secret that is missing here is nobody else's business, unless he has shown that he may know
    const shown = refusal === 'unready' && secretsOf(webhook, deps.secrets).length === 0 ? 404 : statuses[refusal]
    return nothing(refusal === 'rate' ? reply.header('retry-after', '60') : reply, shown)
  }

  async function take(request: FastifyRequest, webhook: WebhookSettings, pathSecret: string | undefined): Promise<Refusal | undefined> {
    if (!rate(webhook.name, webhook.perMinute) || reading >= limits.bodiesAtOnce) return 'rate'
    reading += 1
    try {
      const body = await readBody(request.raw, { bytes: webhook.bytes, withinMs: bodyMs })
      if (typeof body === 'string') return body
      const { headersDistinct: headers } = request.raw
      const fitting = fits(webhook, headers, pathSecret)
      const received = await receive(deps, fitting ? webhook : phantom, { headers, body, pathSecret })
      if ('refused' in received) return webhook !== phantom && !fitting ? 'type' : received.refused
      if (received.outcome === 'stored') deps.onStored()
      return undefined
    } finally {
      reading -= 1
    }
  }

  app.post('/hooks/:name', deliver)
  app.post('/hooks/:name/:secret', deliver)
  return app
}

/** Sent as its kind is sent, and at the path of its kind? */
function fits({ kind }: WebhookSettings, headers: Delivery['headers'], pathSecret: string | undefined): boolean {
  const types = headers['content-type']
  const [type] = types?.[0]?.split(';') ?? []
  const wanted = kind === 'gumroad' ? 'application/x-www-form-urlencoded' : 'application/json'
  return types?.length === 1 && type!.trim().toLowerCase() === wanted && headers['content-encoding'] === undefined && (pathSecret !== undefined) === (kind === 'gumroad')
}

function nothing(reply: FastifyReply, status: number): FastifyReply {
  return reply.code(status).send()
}
