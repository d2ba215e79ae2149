import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { ServerDeps } from '../app.ts'
import { success } from '../envelope.ts'
import { findDraft, listDrafts, signOrigin } from '../read/drafts.ts'
import { answer } from '../views/answer.ts'
import { draftDetail, draftLine, draftState } from '../views/drafts.ts'
import { limit } from './limit.ts'

const tags = ['drafts']
const listQuery = z.object({ state: z.enum(draftState.options).optional(), limit: limit(50) })

/** Drafts as the server may know them: that they are there, and what became of them. */
export function draftRoutes({ database, house }: ServerDeps): FastifyPluginAsyncZod {
  return async (app) => {
    app.get('/drafts', {
      schema: { operationId: 'listDrafts', summary: 'Drafts, the newest first', tags, querystring: listQuery, response: { 200: answer(z.array(draftLine)) } },
    }, async ({ query }) => success(await listDrafts(database, query, signOrigin(house()))))

    app.get('/drafts/:id', {
      schema: { operationId: 'findDraft', summary: 'What became of a draft', tags, params: z.object({ id: z.uuid() }), response: { 200: answer(draftDetail) } },
    }, async ({ params }) => success(await findDraft(database, params.id, signOrigin(house()))))
  }
}
