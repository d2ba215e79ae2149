import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { Fault } from '../kernel/fault.ts'
import type { Fetches } from './fetches.ts'

const idParams = z.object({ id: z.uuid() })

/** All that a worker can say to the reader: the id under which the database has what it wants. No address, no header, no parameter. */
export function sourceRoutes(app: FastifyInstance, { fetch }: Pick<Fetches, 'fetch'>): void {
  app.post('/fetches/:id', async (request) => {
    const { data } = idParams.safeParse(request.params)
    if (!data) throw new Fault('invalid', 'source.id', 'a fetch is asked for by the id that the database has it under')
    return { ok: true, data: await fetch(data.id) }
  })
}
