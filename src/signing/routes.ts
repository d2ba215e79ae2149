import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Site } from '../outbox/index.ts'
import type { EnrolmentCodes } from './enrolment-codes.ts'
import { parseRequest } from '../outbox/index.ts'

const issueBody = z.object({ name: z.string().trim().min(1).max(100).optional() })
const idParams = z.object({ id: z.uuid() })

/** On the releaser's own socket: who may make a code is who may reach it. */
export function enrolmentRoutes(app: FastifyInstance, { codes, site }: { codes: EnrolmentCodes; site: () => Site }): void {
  app.post('/enrolments', async (request) => {
    const { id, code, expiresAt } = codes.issue(parseRequest(issueBody, request.body).name)
    const { origin, rpId } = site()
    return { ok: true, data: { id, code, link: `${origin}/#enrol=${code}`, expires_at: expiresAt, sign_origin: origin, rp_id: rpId } }
  })
  app.get('/enrolments/:id', async (request) => ({ ok: true, data: codes.state(parseRequest(idParams, request.params).id) }))
}
