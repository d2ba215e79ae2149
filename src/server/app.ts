import type { EventEmitter } from 'node:events'
import fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import type { House } from '../house/index.ts'
import { Fault } from '../kernel/fault.ts'
import type { Logger } from '../kernel/log.ts'
import type { IsolationView } from './api.ts'
import type { Doctor } from './doctor/doctor.ts'
import { failure } from './envelope.ts'
import type { Readiness } from './readiness.ts'
import type { RequestDeps } from './request/run-job.ts'
import type { ToolList } from './routes/tools.ts'
import { houseRoutes } from './routes/house.ts'
import { jobRoutes } from './routes/jobs.ts'
import { runRoutes } from './routes/runs.ts'
import { toolRoutes } from './routes/tools.ts'

export interface ServerDeps extends RequestDeps {
  readonly log: Logger
  readonly house: () => House
  readonly isolation: IsolationView
  readonly tools: ToolList
  readonly readiness: Readiness
  readonly doctor: Doctor
  /** Emits `wake` when a run may have moved on. */
  readonly wakes: EventEmitter
  /** Aborts when the server stops, so that nobody waits for a run any longer. */
  readonly stopping: AbortSignal
  /** Asks `up` to read the house again; answers with what it found. */
  reload(): Promise<unknown>
}

const bodyLimit = 1_048_576

/** Everything the CLI may ask, for the Unix socket; who can open the socket is let in. */
export function createApp(deps: ServerDeps): FastifyInstance {
  const app = bareApp(deps.log)
  app.register(houseRoutes(deps), { prefix: '/api' })
  app.register(jobRoutes(deps), { prefix: '/api' })
  app.register(runRoutes(deps), { prefix: '/api' })
  app.register(toolRoutes(deps), { prefix: '/api' })
  return app
}

/** A Fastify that answers in the one envelope, errors too. */
export function bareApp(log: Logger): FastifyInstance {
  const options: FastifyServerOptions = { loggerInstance: log, disableRequestLogging: true, bodyLimit, forceCloseConnections: 'idle', exposeHeadRoutes: false }
  const app = fastify(options) as unknown as FastifyInstance
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
