import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { Fault } from '../kernel/fault.ts'
import type { OutboxDeps } from './change.ts'
import { draftStates, type TooLate } from './draft.ts'
import { readDraftDetail } from './draft-detail.ts'
import { readDraftList } from './draft-summary.ts'
import { readOutboxState } from './fence/outbox-state.ts'
import { proposeResume } from './fence/resume.ts'
import { editBody, editDraft, longestEdit } from './edit-draft.ts'
import { parseRequest } from './parse-request.ts'
import { resolveDraft } from './resolve-draft.ts'
import { scheduleBody, scheduleDraft } from './schedule-draft.ts'
import { snoozeBody, snoozeDraft } from './snooze-draft.ts'
import { takeBack } from './take-back.ts'
import { undoDraft } from './undo-draft.ts'

export interface OutboxRoutesDeps extends OutboxDeps {
  /** Something was decided: there may be something to release, or another moment to wake at. */
  onChange(): void
}

export const idParams = z.object({ id: z.uuid() })
const listQuery = z.object({
  state: z.string().transform((text) => text.split(',')).pipe(z.array(z.enum(draftStates))).optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  snoozed: z.stringbool().default(false).describe('those too that are snoozed now'),
})
const resolutionBody = z.object({ outcome: z.enum(['released', 'failed']), reason: z.string().min(1).max(2000) })

/** What is the same on the releaser's socket and on its page: to see drafts, and to do with them all but decide. */
export function draftRoutes(app: FastifyInstance, prefix: '' | '/api', deps: OutboxRoutesDeps): void {
  app.get(`${prefix}/drafts`, async (request) => {
    const { state, limit, snoozed } = parseRequest(listQuery, request.query)
    const now = deps.clock.now()
    return ok(await readDraftList(deps.database.pool, { states: state, limit, awakeAt: snoozed ? undefined : now }, now))
  })

  app.get(`${prefix}/drafts/:id`, async (request) => {
    const { id } = parseRequest(idParams, request.params)
    return ok(await readDraftDetail(deps.database.pool, id, deps.clock.now()))
  })

  app.post(`${prefix}/drafts/:id/edit`, { bodyLimit: longestEdit }, async (request, reply) => {
    const { id } = parseRequest(idParams, request.params)
    const { draft } = settled(deps, id, await editDraft(deps, id, parseRequest(editBody, request.body)))
    reply.code(201)
    return ok(await readDraftDetail(deps.database.pool, draft, deps.clock.now()))
  })

  app.post(`${prefix}/drafts/:id/schedule`, async (request, reply) => {
    const { id } = parseRequest(idParams, request.params)
    const { draft } = settled(deps, id, await scheduleDraft(deps, id, parseRequest(scheduleBody, request.body)))
    reply.code(201)
    return ok(await readDraftDetail(deps.database.pool, draft, deps.clock.now()))
  })

  app.post(`${prefix}/drafts/:id/snooze`, async (request) => {
    const { id } = parseRequest(idParams, request.params)
    return ok(settled(deps, id, await snoozeDraft(deps, id, parseRequest(snoozeBody, request.body).until)))
  })

  app.post(`${prefix}/drafts/:id/undo`, async (request) => {
    const { id } = parseRequest(idParams, request.params)
    const undone = await undoDraft(deps, id)
    // what is done already a connector may be able to undo
    const isDone = undone.outcome === 'too_late' && (undone.was === 'released' || undone.was === 'unknown')
    return ok(settled(deps, id, isDone ? await takeBack(deps, id) : undone))
  })

  app.get(`${prefix}/outbox`, async () => ok(await readOutboxState(deps)))

  app.post(`${prefix}/outbox/resume`, async (_request, reply) => {
    const proposed = await proposeResume(deps)
    deps.onChange()
    reply.code(201)
    return ok(proposed)
  })

  app.post(`${prefix}/drafts/:id/resolve`, async (request) => {
    const { id } = parseRequest(idParams, request.params)
    const { outcome, reason } = parseRequest(resolutionBody, request.body)
    return ok(settled(deps, id, await resolveDraft(deps, id, outcome, reason)))
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
