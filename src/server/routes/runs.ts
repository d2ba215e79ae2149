import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { ServerDeps } from '../app.ts'
import { parseRequest } from '../envelope.ts'
import { findRun, listRuns, readLog, resolveRun } from '../read/runs.ts'
import { cancelRun, redriveRun } from '../request/change-run.ts'
import { hungUp, waitForRun } from '../wait-for-run.ts'

const states = ['waiting', 'queued', 'running', 'parked', 'succeeded', 'cancelled', 'dead'] as const
const limit = z.coerce.number().int().min(1).max(1000)
const listQuery = z.object({ job: z.string().optional(), state: z.enum(states).optional(), limit: limit.default(50) })
const showQuery = z.object({ wait: z.coerce.number().min(0).max(600).default(0) })
const logQuery = z.object({ limit: limit.default(500) })
const retryBody = z.strictObject({ from: z.string().min(1).optional() })

/** Runs: their timeline and log, and what the operator may do with them. An id may be cut to its beginning or end. */
export function runRoutes(deps: ServerDeps): FastifyPluginAsync {
  const { database } = deps
  const named = (request: FastifyRequest) => resolveRun(database, parseRequest(z.object({ id: z.string() }), request.params).id)
  return async (app) => {
    app.get('/runs', async (request) => ({ ok: true, data: await listRuns(database, parseRequest(listQuery, request.query)) }))

    app.get('/runs/:id', async (request, reply) => {
      const id = await named(request)
      const { wait } = parseRequest(showQuery, request.query)
      if (wait > 0) await waitForRun(deps, id, { milliseconds: wait * 1000, signal: AbortSignal.any([deps.stopping, hungUp(reply)]) })
      return { ok: true, data: await findRun(database, id) }
    })

    app.get('/runs/:id/logs', async (request) => {
      return { ok: true, data: await readLog(database, await named(request), parseRequest(logQuery, request.query).limit) }
    })

    app.post('/runs/:id/retry', async (request) => {
      return { ok: true, data: await redriveRun(deps, await named(request), parseRequest(retryBody, request.body)) }
    })

    app.post('/runs/:id/cancel', async (request) => ({ ok: true, data: await cancelRun(deps, await named(request)) }))

    app.get('/dead', async (request) => {
      return { ok: true, data: await listRuns(database, { state: 'dead', withoutTools: true, limit: parseRequest(listQuery, request.query).limit }) }
    })

    app.post('/dead/:id/redrive', async (request) => {
      return { ok: true, data: await redriveRun(deps, await named(request), { onlyDead: true }) }
    })
  }
}
