import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import type { ServerDeps } from '../app.ts'
import { success } from '../envelope.ts'
import { readWebhooks } from '../read/webhooks.ts'
import { answer } from '../views/answer.ts'
import { webhooksView } from '../views/webhooks.ts'

/** The webhooks as the operator sees them. What is delivered goes through a port, an app and a database role of its own. */
export function webhookRoutes(deps: ServerDeps): FastifyPluginAsyncZod {
  return async (app) => {
    app.get('/webhooks', {
      schema: { operationId: 'listWebhooks', summary: 'The declared webhooks, and what was delivered to them today', tags: ['webhooks'], response: { 200: answer(webhooksView) } },
    }, async () => success(await readWebhooks(deps)))
  }
}
