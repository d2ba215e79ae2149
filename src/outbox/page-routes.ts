import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { Fault } from '../kernel/fault.ts'
import { decideDraft, type DecisionRequest } from './decide-draft.ts'
import { challengeOf } from './document.ts'
import { findDraft } from './draft-queries.ts'
import { draftRoutes, idParams, ok, settled, type OutboxRoutesDeps } from './draft-routes.ts'
import { parseRequest } from './parse-request.ts'
import { assertionSchema } from './keys/assertion.ts'

export interface PageRoutesDeps extends OutboxRoutesDeps {
  /** The session key of the page that asks. */
  sessionKeyOf(request: FastifyRequest): string
  /** Asks the browser for the signature of a passkey over that challenge. */
  passkeyOptions(challenge: Uint8Array): Promise<object>
}

const challenge = z.string().regex(/^[0-9a-f]{64}$/)
const shownBody = z.object({ challenge })
const decisionBody = z.union([
  z.strictObject({ verdict: z.literal('deny'), reason: z.string().max(2000).optional() }),
  z.strictObject({ verdict: z.literal('approve'), challenge, key_id: z.string().max(100), signature: z.base64().max(200) }),
  z.strictObject({ verdict: z.literal('approve'), challenge, passkey: assertionSchema }),
])

/** Drafts on the signing page. Whoever registers these stands before them with a session. */
export function pageRoutes(app: FastifyInstance, deps: PageRoutesDeps): void {
  draftRoutes(app, '/api', deps)

  app.post('/api/drafts/:id/passkey', async (request) => {
    const { id } = parseRequest(idParams, request.params)
    const shown = parseRequest(shownBody, request.body)
    const draft = await findDraft(deps.database.pool, id)
    if (!draft) throw new Fault('missing', 'draft.missing', `there is no draft ${id}`)
    const stored = challengeOf(draft.document)
    if (shown.challenge !== stored.toString('hex')) throw new Fault('conflict', 'draft.changed', `draft ${id} is not what was shown; look at it again`)
    return ok({ options: await deps.passkeyOptions(stored) })
  })

  app.post('/api/drafts/:id/decide', async (request) => {
    const { id } = parseRequest(idParams, request.params)
    const decision = settled(deps, id, await decideDraft(deps, id, toRequest(parseRequest(decisionBody, request.body), deps.sessionKeyOf(request))))
    return ok({ outcome: decision.outcome, state: decision.state, hold_until: decision.holdUntil ?? null })
  })
}

/** The key of a page signs for the session of that page only. */
function toRequest(decision: z.infer<typeof decisionBody>, sessionKey: string): DecisionRequest {
  if (decision.verdict === 'deny') return decision
  const { verdict, challenge } = decision
  if ('passkey' in decision) return { verdict, challenge, assertion: decision.passkey }
  if (decision.key_id !== sessionKey) throw new Fault('refused', 'draft.key', `this page holds the session of ${sessionKey}, and ${decision.key_id} is another key`)
  return { verdict, challenge, keyId: decision.key_id, signature: decision.signature }
}
