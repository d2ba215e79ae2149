import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { ServerDeps } from '../app.ts'
import { success } from '../envelope.ts'
import { listBatches, resolveBatch } from '../read/batches.ts'
import { cancelBatch } from '../request/cancel-batch.ts'
import { answer } from '../views/answer.ts'
import { batchView, cancelledBatch } from '../views/batches.ts'
import { limit } from './limit.ts'

const tags = ['house']
const params = z.object({ id: z.string().describe('Whole, or at least four digits of its beginning or end.') })

/** Bulk work of programs, which its gate does. */
export function batchRoutes({ database }: Pick<ServerDeps, 'database'>): FastifyPluginAsyncZod {
  return async (app) => {
    app.get('/batches', {
      schema: { operationId: 'listBatches', summary: 'Batches of programs, the newest first', tags, querystring: z.object({ limit: limit(50) }), response: { 200: answer(z.array(batchView)) } },
    }, async ({ query }) => success(await listBatches(database, query.limit)))

    app.post('/batches/:id/cancel', {
      schema: { operationId: 'cancelBatch', summary: 'Begin no line of it any more; what was answered stays', tags, params, response: { 200: answer(cancelledBatch) } },
    }, async ({ params: { id } }) => success(await cancelBatch(database, await resolveBatch(database, id))))
  }
}
