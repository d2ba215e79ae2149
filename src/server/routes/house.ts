import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { ServerDeps } from '../app.ts'
import { success } from '../envelope.ts'
import { listUpstreams } from '../read/calls.ts'
import type { Fires } from '../read/remember-fires.ts'
import { readStatus, readWhole } from '../read/status.ts'
import { midnight, readToday } from '../read/today.ts'
import { withholdToday } from '../read/withhold.ts'
import { recordRequest } from '../request/record-request.ts'
import { answer } from '../views/answer.ts'
import { checkView, houseView, reloadedView, statusView } from '../views/house.ts'
import { upstreamView } from '../views/models.ts'
import { todayView } from '../views/today.ts'
import type { Door } from './api.ts'

const tags = ['house']
const modelsQuery = z.object({ fresh: z.literal('1').optional().describe('The upstreams are asked anew, whatever they said a moment ago.') })

/** What goes on in the house as a whole. */
export function houseRoutes(deps: ServerDeps, door: Door, fires: Fires): FastifyPluginAsyncZod {
  const { database, clock, readiness } = deps
  const whole = () => ({ database, clock, webhooks: deps.webhooks, house: deps.house(), isolation: deps.isolation, fires, secrets: deps.secrets.report() })
  const since = () => midnight(database, clock.now(), deps.house().settings.timezone)
  return async (app) => {
    app.get('/today', {
      schema: { operationId: 'readToday', summary: 'The morning page', tags, response: { 200: answer(todayView) } },
    }, async () => {
      const today = await readToday(whole(), clock.now())
      return success(door === 'browser' ? withholdToday(today) : today)
    })

    app.get('/status', {
      schema: { operationId: 'readStatus', summary: 'Processes, database, queue, house', tags, response: { 200: answer(statusView) } },
    }, async () => success(await readStatus(whole(), (await readiness.look()).parts)))

    app.get('/house', {
      schema: { operationId: 'readHouse', summary: 'The status, with alerts and where drafts are signed', tags, response: { 200: answer(houseView) } },
    }, async () => {
      const [{ parts }, midnight] = await Promise.all([readiness.look(), since()])
      return success(await readWhole(whole(), parts, midnight))
    })

    app.get('/doctor', {
      schema: { operationId: 'examine', summary: 'Each part, and the command that mends it; takes up to 3 s', tags, response: { 200: answer(z.array(checkView)) } },
    }, async () => success(await deps.doctor.examine()))

    app.get('/models', {
      schema: { operationId: 'listModels', summary: 'Upstreams: how they are, and what was asked of them today', tags, querystring: modelsQuery, response: { 200: answer(z.array(upstreamView)) } },
    }, async ({ query }) => {
      const [reports, midnight] = await Promise.all([deps.gates(query.fresh !== undefined), since()])
      return success(await listUpstreams(database, deps.house(), reports, midnight))
    })

    app.post('/reload', {
      schema: { operationId: 'reload', summary: 'Read the house folder again', tags, response: { 200: answer(reloadedView) } },
    }, async () => {
      await recordRequest(database.pool, { request: 'house.reload', subject: 'house' })
      return success(await deps.reload())
    })
  }
}
