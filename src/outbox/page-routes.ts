import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { Fault } from '../kernel/fault.ts'
import { decideDraft } from './decide-draft.ts'
import { challengeOf } from './document.ts'
import type { Draft } from './draft.ts'
import { readDraftDetail } from './draft-detail.ts'
import { findDraft } from './draft-queries.ts'
import { readDraftList } from './draft-summary.ts'
import { editBody, editDraft, longestEdit } from './edit-draft.ts'
import { assertionSchema } from './keys/assertion.ts'
import { resolveDraft } from './resolve-draft.ts'
import { idParams, listQuery, ok, parse, reason, resolutionBody, settled, type OutboxRoutesDeps } from './routes.ts'
import { snoozeBody, snoozeDraft } from './snooze-draft.ts'
import { undoDraft } from './undo-draft.ts'

export interface PageRoutesDeps extends OutboxRoutesDeps {
  /** The session key of the page that asks. */
  sessionKeyOf(request: FastifyRequest): string
  /** Asks the browser for the signature of a passkey over that challenge. */
  passkeyOptions(challenge: Uint8Array): Promise<object>
}

const challenge = z.string().regex(/^[0-9a-f]{64}$/)
const shownBody = z.object({ challenge })
const decisionBody = z.union([
  z.strictObject({ verdict: z.literal('deny'), reason }),
  z.strictObject({ verdict: z.literal('approve'), challenge, key_id: z.string().max(100), signature: z.base64().max(200) }),
  z.strictObject({ verdict: z.literal('approve'), challenge, passkey: assertionSchema }),
])
type Decision = z.infer<typeof decisionBody>

/** Drafts on the signing page. Whoever registers these stands before them with a session. */
export function pageRoutes(app: FastifyInstance, deps: PageRoutesDeps): void {
  app.get('/api/drafts', async (request) => {
    const { state, limit, snoozed } = parse(listQuery, request.query)
    const now = deps.clock.now()
    return ok(await readDraftList(deps.database.pool, { states: state, limit, awakeAt: snoozed ? undefined : now }, now))
  })

  app.get('/api/drafts/:id', async (request) => {
    return ok(await readDraftDetail(deps.database.pool, parse(idParams, request.params).id, deps.clock.now()))
  })

  app.post('/api/drafts/:id/passkey', async (request) => {
    const draft = await find(parse(idParams, request.params).id)
    const stored = challengeOf(draft.document)
    if (parse(shownBody, request.body).challenge !== stored.toString('hex')) throw new Fault('conflict', 'draft.changed', `draft ${draft.id} is not what was shown; look at it again`)
    return ok({ options: await deps.passkeyOptions(stored) })
  })

  app.post('/api/drafts/:id/decide', async (request) => {
    const { id } = parse(idParams, request.params)
    const decision = settled(deps, id, await decideDraft(deps, id, toRequest(parse(decisionBody, request.body), deps.sessionKeyOf(request))))
    return ok({ outcome: decision.outcome, state: decision.state, hold_until: decision.holdUntil ?? null })
  })

  app.post('/api/drafts/:id/edit', { bodyLimit: longestEdit }, async (request, reply) => {
    const { id } = parse(idParams, request.params)
    const { draft } = settled(deps, id, await editDraft(deps, id, parse(editBody, request.body)))
    reply.code(201)
    return ok(await readDraftDetail(deps.database.pool, draft, deps.clock.now()))
  })

  app.post('/api/drafts/:id/snooze', async (request) => {
    const { id } = parse(idParams, request.params)
    return ok(settled(deps, id, await snoozeDraft(deps, id, parse(snoozeBody, request.body).until)))
  })

  app.post('/api/drafts/:id/undo', async (request) => {
    const { id } = parse(idParams, request.params)
    return ok(settled(deps, id, await undoDraft(deps, id)))
  })

  app.post('/api/drafts/:id/resolve', async (request) => {
    const { id } = parse(idParams, request.params)
    const { outcome, reason: words } = parse(resolutionBody, request.body)
    return ok(settled(deps, id, await resolveDraft(deps, id, outcome, words)))
  })

  async function find(id: string): Promise<Draft> {
    const draft = await findDraft(deps.database.pool, id)
    if (!draft) throw new Fault('missing', 'draft.missing', `there is no draft ${id}`)
    return draft
  }
}

/** The key of a page signs for the session of that page only. */
function toRequest(decision: Decision, sessionKey: string): Parameters<typeof decideDraft>[2] {
  if (decision.verdict === 'deny') return decision
  const { verdict, challenge } = decision
  if ('passkey' in decision) return { verdict, challenge, assertion: decision.passkey }
  if (decision.key_id !== sessionKey) throw new Fault('refused', 'draft.key', `this page holds the session of ${sessionKey}, and ${decision.key_id} is another key`)
  return { verdict, challenge, keyId: decision.key_id, signature: decision.signature }
}
