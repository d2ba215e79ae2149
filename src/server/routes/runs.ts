import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { ServerDeps } from '../app.ts'
import { success } from '../envelope.ts'
import { findRun, listRuns, readLog, resolveRun } from '../read/runs.ts'
import { withholdLine, withholdRun, withholdSummary } from '../read/withhold.ts'
import { cancelRun, redriveRun } from '../request/change-run.ts'
import { recordRequest } from '../request/record-request.ts'
import { answer } from '../views/answer.ts'
import { cancelledRun, logLine, redrivenRun, runDetail, runState, runSummary } from '../views/runs.ts'
import { hungUp, waitForRun } from '../wait-for-run.ts'
import type { Door } from './api.ts'
import { limit } from './limit.ts'

const tags = ['runs']
const params = z.object({ id: z.string().describe('Whole, or at least four characters of its beginning or end.') })
const reveal = z.literal('1').optional().describe('Send what is P3 local only too; that this was asked for is recorded.')
const listQuery = z.object({ job: z.string().optional(), state: z.enum(runState.options).optional(), limit: limit(50) })
const showQuery = z.object({ wait: z.coerce.number().min(0).max(600).default(0).describe('Seconds to wait for its end.'), reveal })
const logQuery = z.object({ limit: limit(500), reveal })
const retryBody = z.strictObject({ from: z.string().min(1).optional().describe('The step to begin with; where it stopped unless said.') })

/** Runs: their timeline and log, and what the operator may do with them. */
export function runRoutes(deps: ServerDeps, door: Door): FastifyPluginAsyncZod {
  const { database } = deps
  const list = async (filter: Parameters<typeof listRuns>[1]) => {
    const runs = await listRuns(database, filter)
    return door === 'browser' ? runs.map(withholdSummary) : runs
  }
  /** Is what is P3 to be left out? That somebody asked for it is written down first. */
  const withholds = async (run: string, asked: '1' | undefined) => {
    if (door === 'socket') return false
    if (asked !== undefined) await recordRequest(database.pool, { request: 'run.reveal', subject: run })
    return asked === undefined
  }
  return async (app) => {
    app.get('/runs', {
      schema: { operationId: 'listRuns', summary: 'Runs, the newest first', tags, querystring: listQuery, response: { 200: answer(z.array(runSummary)) } },
    }, async ({ query }) => success(await list(query)))

    app.get('/runs/:id', {
      schema: { operationId: 'findRun', summary: 'A run with its timeline', tags, params, querystring: showQuery, response: { 200: answer(runDetail) } },
    }, async ({ params, query }, reply) => {
      const id = await resolveRun(database, params.id)
      if (query.wait > 0) await waitForRun(deps, id, { milliseconds: query.wait * 1000, signal: AbortSignal.any([deps.stopping, hungUp(reply)]) })
      const run = await findRun(database, id)
      return success((await withholds(id, query.reveal)) ? withholdRun(run) : run)
    })

    app.get('/runs/:id/logs', {
      schema: { operationId: 'readLog', summary: 'What its steps logged last, in order', tags, params, querystring: logQuery, response: { 200: answer(z.array(logLine)) } },
    }, async ({ params, query }) => {
      const id = await resolveRun(database, params.id)
      const lines = await readLog(database, id, query.limit)
      return success((await withholds(id, query.reveal)) ? lines.map(withholdLine) : lines)
    })

    app.post('/runs/:id/retry', {
      schema: { operationId: 'retryRun', summary: 'Take a closed run up again', tags, params, body: retryBody, response: { 200: answer(redrivenRun) } },
    }, async ({ params, body }) => success(await redriveRun(deps, await resolveRun(database, params.id), body)))

    app.post('/runs/:id/cancel', {
      schema: { operationId: 'cancelRun', summary: 'End a run that is not closed; what it did stays', tags, params, response: { 200: answer(cancelledRun) } },
    }, async ({ params }) => success(await cancelRun(deps, await resolveRun(database, params.id))))

    app.get('/dead', {
      schema: { operationId: 'listDead', summary: 'Runs that gave up', tags, querystring: z.object({ limit: limit(50) }), response: { 200: answer(z.array(runSummary)) } },
    }, async ({ query }) => success(await list({ state: 'dead', withoutTools: true, limit: query.limit })))

    app.post('/dead/:id/redrive', {
      schema: { operationId: 'redriveDead', summary: 'Take a run that gave up up again', tags, params, response: { 200: answer(redrivenRun) } },
    }, async ({ params }) => success(await redriveRun(deps, await resolveRun(database, params.id), { onlyDead: true })))
  }
}
