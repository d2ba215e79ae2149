import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import type { ServerDeps } from '../app.ts'
import { success } from '../envelope.ts'
import { readSources } from '../read/sources.ts'
import { answer } from '../views/answer.ts'
import { sourcesView } from '../views/sources.ts'

/** The sources as the operator sees them. What they say is read by jobs. */
export function sourceRoutes(deps: ServerDeps): FastifyPluginAsyncZod {
  return async (app) => {
    app.get('/sources', {
      schema: { operationId: 'listSources', summary: 'The declared sources, how old their snapshots are, and what became of asking', tags: ['sources'], response: { 200: answer(sourcesView) } },
    }, async () => success(await readSources(deps)))
  }
}
