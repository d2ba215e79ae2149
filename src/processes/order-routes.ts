import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { OutboxDeps } from '../outbox/change.ts'
import { readOrders } from '../outbox/orders/list-orders.ts'
import { proposeOrder } from '../outbox/orders/propose-order.ts'
import { revokeOrder } from '../outbox/orders/revoke-order.ts'
import { parseRequest } from '../server/envelope.ts'

const revokedBody = z.object({ name: z.string().min(1).max(63) })

/** Standing orders: proposed here as a draft, made when that was signed by passkey and is released, taken back at once and without a signature. */
export function orderRoutes(app: FastifyInstance, { outbox, onChange }: { readonly outbox: OutboxDeps; onChange(): void }): void {
  app.get('/orders', async () => ({ ok: true, data: await readOrders(outbox) }))

  app.post('/orders', async (request, reply) => {
    const proposed = await proposeOrder(outbox, parseRequest(z.record(z.string(), z.unknown()), request.body))
    onChange()
    reply.code(201)
    return { ok: true, data: proposed }
  })

  app.post('/orders/revoke', async (request) => {
    const revoked = await revokeOrder(outbox, parseRequest(revokedBody, request.body).name)
    onChange()
    return { ok: true, data: revoked }
  })
}
