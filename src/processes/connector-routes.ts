import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { OutboxDeps } from '../outbox/change.ts'
import { connectorStates, findConnector, reachConnector } from '../outbox/connector-states.ts'
import { parseRequest } from '../server/envelope.ts'

const nameParams = z.object({ name: z.string().max(63) })

/** The ways out: how they are doing, and, when somebody asks, whether their other side answers. */
export function connectorRoutes(app: FastifyInstance, deps: Pick<OutboxDeps, 'database' | 'connectors'>): void {
  app.get('/connectors', async () => ({ ok: true, data: await connectorStates(deps) }))

  app.get('/connectors/:name/reach', async (request) => {
    const { name } = parseRequest(nameParams, request.params)
    return { ok: true, data: await reachConnector(findConnector(deps, name)) }
  })
}
