import fastify, { LogController, type FastifyInstance, type FastifyServerOptions } from 'fastify'
import { Fault } from '../kernel/fault.ts'
import { hangUpWhenClosing } from '../kernel/hang-up-when-closing.ts'
import type { Logger } from '../kernel/log.ts'
import { checkBySchema } from './check-schema.ts'
import { failure } from './envelope.ts'

const bodyLimit = 1_048_576

export interface BareAppOptions {
  /** Tests look whether each answer is what its schema says. */
  readonly checkAnswers?: boolean
  /** Hears what a request failed with, before it is answered. */
  readonly onError?: (error: Error) => void
}

/** A Fastify that holds requests against the schemas of their routes and answers in the one envelope, errors too. */
export function bareApp(log: Logger, { checkAnswers = false, onError }: BareAppOptions = {}): FastifyInstance {
  const options: FastifyServerOptions = { loggerInstance: log, logController: new LogController({ disableRequestLogging: true }), bodyLimit, forceCloseConnections: 'idle', exposeHeadRoutes: false }
  const app = fastify(options) as unknown as FastifyInstance
  hangUpWhenClosing(app)
  checkBySchema(app, checkAnswers)
  if (onError) app.addHook('onError', async (_request, _reply, error) => onError(error))
  app.setErrorHandler((error, request, reply) => {
    const { status, body } = failure(asFault(error))
    if (status === 500) request.log.error({ err: error, route: request.routeOptions.url }, 'a request failed')
    return reply.status(status).send(body)
  })
  app.setNotFoundHandler((request, reply) => {
    const { status, body } = failure(new Fault('missing', 'route.missing', `there is no ${request.method} ${request.url.split('?')[0]}`))
    return reply.status(status).send(body)
  })
  return app
}

/** Fastify's own complaints about a request are the caller's to mend; everything else is as it came. */
function asFault(error: unknown): unknown {
  const { statusCode, code, message } = error as { statusCode?: number; code?: string; message?: string }
  const refusedByFastify = code?.startsWith('FST_') && statusCode !== undefined && statusCode < 500
  return refusedByFastify ? new Fault('invalid', 'request.invalid', message ?? 'the request could not be read') : error
}
