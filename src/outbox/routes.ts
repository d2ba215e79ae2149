import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { change } from './change.ts'
import { decideDraft } from './decide-draft.ts'
import { lastSigned } from './draft-queries.ts'
import { draftRoutes, idParams, ok, settled, type OutboxRoutesDeps } from './draft-routes.ts'
import { parseRequest } from './parse-request.ts'
import { viewKey } from './keys/key-view.ts'

const keyParams = z.object({ id: z.string().max(100) })
const reason = z.string().max(2000).optional()
const decisionBody = z.discriminatedUnion('verdict', [
  z.object({ verdict: z.literal('approve'), keyId: z.string().max(100), signature: z.base64().max(200), reason }),
  z.object({ verdict: z.literal('deny'), reason }),
])
const enrolmentBody = z.object({
  publicKey: z.base64().max(200), scope: z.enum(['operator', 'demonstration']), name: z.string().min(1).max(100), signature: z.base64().max(200),
})

/** Drafts and keys on the releaser's own socket: who reaches it is decided by the rights on the file. */
export function outboxRoutes(app: FastifyInstance, deps: OutboxRoutesDeps): void {
  draftRoutes(app, '', deps)

  app.post('/drafts/:id/decide', async (request) => {
    const { id } = parseRequest(idParams, request.params)
    return ok(settled(deps, id, await decideDraft(deps, id, parseRequest(decisionBody, request.body))))
  })

  app.get('/keys', async () => {
    const signed = await lastSigned(deps.database.pool)
    return ok((await deps.keys.list()).map((key) => viewKey(key, signed)))
  })

  app.post('/keys/enroll', async (request) => {
    const { key, fresh } = await deps.keys.enrol(parseRequest(enrolmentBody, request.body), deps.clock.now())
    if (fresh) await change(deps, 'key.enroll', ({ audit }) => audit('key.enrolled', key.id, { scope: key.scope, name: key.name, public_key: key.public_key }))
    return ok(key)
  })

  app.post('/keys/:id/revoke', async (request) => {
    const { key, fresh } = await deps.keys.revoke(parseRequest(keyParams, request.params).id, deps.clock.now())
    if (fresh) await change(deps, 'key.revoke', ({ audit }) => audit('key.revoked', key.id, { kind: key.kind }))
    return ok(viewKey(key, await lastSigned(deps.database.pool)))
  })
}
