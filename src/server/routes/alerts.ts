import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { ServerDeps } from '../app.ts'
import { success } from '../envelope.ts'
import { listSecurityAlerts, readSecurityAlert } from '../read/security-alerts.ts'
import { acknowledgeAlert } from '../request/acknowledge-alert.ts'
import { acknowledgedAlert, securityAlert } from '../views/alerts.ts'
import { answer } from '../views/answer.ts'
import { limit } from './limit.ts'

const tags = ['alerts']
const params = z.object({ id: z.string().min(4).max(36).regex(/^[0-9a-fA-F-]+$/).describe('Whole, or at least four digits of its beginning or end.') })
const query = z.object({ all: z.literal('1').optional().describe('Those that are over too.'), limit: limit(100) })

/** What the house saw that somebody should look at. Nobody can close one here: it closes when it is over. */
export function alertRoutes({ database }: Pick<ServerDeps, 'database'>): FastifyPluginAsyncZod {
  return async (app) => {
    app.get('/alerts', {
      schema: { operationId: 'listAlerts', summary: 'Security alerts that are not over, the gravest first', tags, querystring: query, response: { 200: answer(z.array(securityAlert)) } },
    }, async ({ query: { all, limit: most } }) => success(await listSecurityAlerts(database, all === undefined ? 'now' : 'all', most)))

    app.get('/alerts/:id', {
      schema: { operationId: 'readAlert', summary: 'One security alert', tags, params, response: { 200: answer(securityAlert) } },
    }, async ({ params: { id } }) => success(await readSecurityAlert(database, id)))

    app.post('/alerts/:id/ack', {
      schema: { operationId: 'acknowledgeAlert', summary: 'Say that it was seen', tags, params, response: { 200: answer(acknowledgedAlert) } },
    }, async ({ params: { id } }) => success(await acknowledgeAlert(database, (await readSecurityAlert(database, id)).id)))
  }
}
