import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { Fault } from '../kernel/fault.ts'
import { change, type OutboxDeps } from './change.ts'
import { decideDraft } from './decide-draft.ts'
import { draftStates, type TooLate } from './draft.ts'
import { readDraftDetail } from './draft-detail.ts'
import { lastSigned } from './draft-queries.ts'
import { readDraftList } from './draft-summary.ts'
import { editBody, editDraft, longestEdit } from './edit-draft.ts'
import { viewKey } from './keys/key-view.ts'
import { resolveDraft } from './resolve-draft.ts'
import { snoozeBody, snoozeDraft } from './snooze-draft.ts'
import { undoDraft } from './undo-draft.ts'

export interface OutboxRoutesDeps extends OutboxDeps {
  /** Something was decided: there may be something to release, or another moment to wake at. */
  onChange(): void
}

export const idParams = z.object({ id: z.uuid() })
const keyParams = z.object({ id: z.string().max(100) })
export const listQuery = z.object({
  state: z.string().transform((text) => text.split(',')).pipe(z.array(z.enum(draftStates))).optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  snoozed: z.stringbool().default(false).describe('those too that are snoozed now'),
})
export const reason = z.string().max(2000).optional()
const decisionBody = z.discriminatedUnion('verdict', [
  z.object({ verdict: z.literal('approve'), keyId: z.string().max(100), signature: z.base64().max(200), reason }),
  z.object({ verdict: z.literal('deny'), reason }),
])
export const resolutionBody = z.object({ outcome: z.enum(['released', 'failed']), reason: z.string().min(1).max(2000) })
const enrolmentBody = z.object({
  publicKey: z.base64().max(200), scope: z.enum(['operator', 'demonstration']), name: z.string().min(1).max(100), signature: z.base64().max(200),
})

/** Drafts and keys on the releaser's own socket: who reaches it is decided by the rights on the file. */
export function outboxRoutes(app: FastifyInstance, deps: OutboxRoutesDeps): void {
  app.get('/drafts', async (request) => {
    const { state, limit, snoozed } = parse(listQuery, request.query)
    const now = deps.clock.now()
    return ok(await readDraftList(deps.database.pool, { states: state, limit, awakeAt: snoozed ? undefined : now }, now))
  })

  app.get('/drafts/:id', async (request) => {
    const { id } = parse(idParams, request.params)
    return ok(await readDraftDetail(deps.database.pool, id, deps.clock.now()))
  })

  app.post('/drafts/:id/decide', async (request) => {
    const { id } = parse(idParams, request.params)
    return ok(settled(deps, id, await decideDraft(deps, id, parse(decisionBody, request.body))))
  })

  app.post('/drafts/:id/edit', { bodyLimit: longestEdit }, async (request, reply) => {
    const { id } = parse(idParams, request.params)
    const { draft } = settled(deps, id, await editDraft(deps, id, parse(editBody, request.body)))
    reply.code(201)
    return ok(await readDraftDetail(deps.database.pool, draft, deps.clock.now()))
  })

  app.post('/drafts/:id/snooze', async (request) => {
    const { id } = parse(idParams, request.params)
    return ok(settled(deps, id, await snoozeDraft(deps, id, parse(snoozeBody, request.body).until)))
  })

  app.post('/drafts/:id/undo', async (request) => {
    const { id } = parse(idParams, request.params)
    return ok(settled(deps, id, await undoDraft(deps, id)))
  })

  app.post('/drafts/:id/resolve', async (request) => {
    const { id } = parse(idParams, request.params)
    const { outcome, reason: words } = parse(resolutionBody, request.body)
    return ok(settled(deps, id, await resolveDraft(deps, id, outcome, words)))
  })

  app.get('/keys', async () => {
    const signed = await lastSigned(deps.database.pool)
    return ok((await deps.keys.list()).map((key) => viewKey(key, signed)))
  })

  app.post('/keys/enroll', async (request) => {
    const { key, fresh } = await deps.keys.enrol(parse(enrolmentBody, request.body), deps.clock.now())
    if (fresh) await change(deps, 'key.enroll', ({ audit }) => audit('key.enrolled', key.id, { scope: key.scope, name: key.name, public_key: key.public_key }))
    return ok(key)
  })

  app.post('/keys/:id/revoke', async (request) => {
    const { key, fresh } = await deps.keys.revoke(parse(keyParams, request.params).id, deps.clock.now())
    if (fresh) await change(deps, 'key.revoke', ({ audit }) => audit('key.revoked', key.id, { kind: key.kind }))
    return ok(viewKey(key, await lastSigned(deps.database.pool)))
  })
}

/** What was done, told to who waits for it. @throws Fault `draft.too_late` when something else was done before */
export function settled<T extends { outcome: string }>({ onChange }: Pick<OutboxRoutesDeps, 'onChange'>, id: string, outcome: T | TooLate): Exclude<T, TooLate> {
  if (outcome.outcome === 'too_late') {
    const { was } = outcome as TooLate
    throw new Fault('conflict', 'draft.too_late', `draft ${id} is ${was} already; look at it again`, { outcome: 'too_late', was })
  }
  onChange()
  return outcome as Exclude<T, TooLate>
}

export function ok<T>(data: T): { ok: true; data: T } {
  return { ok: true, data }
}

export function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value ?? {})
  if (!parsed.success) throw new Fault('invalid', 'request.invalid', z.prettifyError(parsed.error))
  return parsed.data
}
