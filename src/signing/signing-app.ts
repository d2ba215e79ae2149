import { randomBytes } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Clock } from '../kernel/clock.ts'
import type { Exposure } from '../kernel/exposure.ts'
import { Fault } from '../kernel/fault.ts'
import type { Logger } from '../kernel/log.ts'
import type { OperatorKeys, Site } from '../outbox/index.ts'
import { createAttempts } from './attempts.ts'
import type { Changes } from './changes.ts'
import type { EnrolmentCodes } from './enrolment-codes.ts'
import { guard } from './guard.ts'
import { liveSession } from './open-session.ts'
import { servePage } from './page.ts'
import { parseRequest } from '../outbox/index.ts'
import { signInRoutes } from './sign-in-routes.ts'
import { createTokens } from './tokens.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The session key of the page that asks; empty where no session is needed. */
    sessionKey: string
  }
}

export interface SigningDeps {
  readonly keys: OperatorKeys
  readonly clock: Clock
  readonly log: Logger
  readonly site: () => Site
  /** What stands before the page on other machines, where the operator has declared it. */
  readonly exposed?: () => Exposure | null
  readonly house: () => string
  readonly codes: EnrolmentCodes
  readonly changes: Changes
  /** Hears the code of each try to get in that failed. */
  readonly onFailedTry?: (code: string) => void
  /** The folder of the built page. */
  readonly page: string
  audit(kind: string, subject: string, detail: Readonly<Record<string, unknown>>): Promise<void>
  /** Adds what answers to a session only. */
  sessionRoutes(app: FastifyInstance): void
}

/** How long an answer to `/api/changes` may take; proxies give up after 30 s or more. */
const patienceMs = 25_000
const statuses: Readonly<Record<string, number>> = { 'session.missing': 401, 'session.over': 401, 'signin.locked': 429 }
const changesQuery = z.object({ after: z.coerce.number().int().nonnegative().default(0) })

/** What the releaser answers on loopback: the page on which drafts are signed, and its API. */
export async function createSigningApp(app: FastifyInstance, deps: SigningDeps): Promise<FastifyInstance> {
  const { keys, clock, log, site } = deps
  const tokens = createTokens(clock)
  const attempts = createAttempts({
    clock,
    onFailed: deps.onFailedTry,
    onLocked: async (failures) => {
      log.warn({ failures }, 'signing in is locked: too many tries failed')
      // the lock holds whether or not the database takes the event
      await deps.audit('signin.locked', 'signing', { failures }).catch((error: unknown) => log.error({ err: error }, 'the lock is not in the audit'))
    },
  })
  app.server.requestTimeout = 30_000
  app.server.headersTimeout = 10_000
  app.decorateRequest('sessionKey', '')
  acceptJsonOnly(app)
  guard(app, site, deps.exposed)

  await app.register(async (scope) => {
    scope.setErrorHandler((error: Error, _request, reply) => {
      const status = error instanceof Fault ? statuses[error.code] : undefined
      if (status === undefined) throw error
      return reply.status(status).send({ ok: false, error: { code: (error as Fault).code, message: error.message } })
    })
    signInRoutes(scope, { ...deps, tokens, attempts, releaser: randomBytes(8).toString('hex') })
    await scope.register(async (session) => {
      session.addHook('onRequest', async (request) => {
        const { keyId } = tokens.find(request.headers.authorization)
        // read anew: what was revoked at the terminal ends with the next request
        await liveSession(keys, keyId, clock.now())
        request.sessionKey = keyId
      })
      session.delete('/api/session', async (request) => {
        await keys.endSession(request.sessionKey, clock.now())
        tokens.endAll(request.sessionKey)
        await deps.audit('session.ended', request.sessionKey, {})
        return { ok: true, data: { state: 'ended' } }
      })
      session.get('/api/changes', async (request) => {
        const { after } = parseRequest(changesQuery, request.query)
        return { ok: true, data: { version: await deps.changes.next(after, patienceMs) } }
      })
      deps.sessionRoutes(session)
    })
  })
  await servePage(app, deps.page)
  return app
}

/** No form can post here; a body that is not there is none. */
function acceptJsonOnly(app: FastifyInstance): void {
  const read = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined)
    else read(request, body as string, done)
  })
}
