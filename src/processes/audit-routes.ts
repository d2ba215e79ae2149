import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Verification } from '../kernel/audit/index.ts'
import type { Database } from '../kernel/database/connect.ts'
import { parseRequest } from '../server/envelope.ts'

export interface AuditRoutesDeps {
  readonly database: Pick<Database, 'pool'>
  verify(): Promise<Verification>
}

const eventsQuery = z.object({ subject: z.string().max(300).optional(), limit: z.coerce.number().int().min(1).max(1000).default(100) })

/** What happened, and whether the record of it is whole. */
export function auditRoutes(app: FastifyInstance, { database, verify }: AuditRoutesDeps): void {
  app.get('/audit/verify', async () => ({ ok: true, data: await verify() }))

  app.get('/audit/events', async (request) => {
    const { subject, limit } = parseRequest(eventsQuery, request.query)
    const { rows } = await database.pool.query(
      `select id, at, actor, kind, subject, detail, label_level as level from audit_event
       where $1::text is null or subject = $1 order by xid desc, id desc limit $2`,
      [subject ?? null, limit],
    )
    return { ok: true, data: rows.reverse() }
  })
}
