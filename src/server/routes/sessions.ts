import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { Fault } from '../../kernel/fault.ts'
import { success } from '../envelope.ts'
import type { BrowserGuard } from '../signin/browser-guard.ts'
import { csrfOf, type Sessions } from '../signin/sessions.ts'
import { answer } from '../views/answer.ts'
import { sessionLine, sessionView, signedOut, signinLink } from '../views/sessions.ts'

const tags = ['session']
const signinBody = z.strictObject({ code: z.string().min(1).max(100).describe('What stands behind `#signin=` in the link.') })

/** The one thing that a browser may ask without a session: to get one for a code of the operator's. */
export function signinRoutes(sessions: Sessions, guard: BrowserGuard): FastifyPluginAsyncZod {
  return async (app) => {
    app.addHook('onRequest', async (request) => guard.admitStranger(request))
    app.post('/signin', {
      schema: { operationId: 'signIn', summary: 'Use a sign-in code up; sets the cookie of the session', tags, body: signinBody, response: { 200: answer(sessionView) } },
    }, async (request, reply) => {
      const { id, token } = await sessions.signIn(request.body.code, request.headers['user-agent'] ?? 'unknown')
      guard.remember(request, reply, token)
      return success({ ...(await lineOf(sessions, id)), csrf: csrfOf(token) })
    })
  }
}

/** The session of the browser that asks. */
export function ownSessionRoutes(sessions: Sessions, guard: BrowserGuard): FastifyPluginAsyncZod {
  return async (app) => {
    app.get('/session', {
      schema: { operationId: 'readSession', summary: 'The session of this browser, with its csrf token', tags, response: { 200: answer(sessionView) } },
    }, async (request) => {
      const { id, token } = guard.sessionOf(request)
      return success({ ...(await lineOf(sessions, id)), csrf: csrfOf(token) })
    })

    app.post('/signout', {
      schema: { operationId: 'signOut', summary: 'End the session of this browser', tags, response: { 200: answer(signedOut) } },
    }, async (request, reply) => {
      const { id } = guard.sessionOf(request)
      await sessions.close(id)
      guard.forget(request, reply)
      return success({ id, state: 'signed_out' as const })
    })
  }
}

/** All sessions, for either door. */
export function sessionRoutes(sessions: Sessions): FastifyPluginAsyncZod {
  return async (app) => {
    app.get('/sessions', {
      schema: { operationId: 'listSessions', summary: 'Browsers that are signed in, the newest first', tags, response: { 200: answer(z.array(sessionLine)) } },
    }, async () => success(await sessions.list()))

    app.post('/sessions/:id/revoke', {
      schema: { operationId: 'revokeSession', summary: 'End a session', tags, params: z.object({ id: z.uuid() }), response: { 200: answer(signedOut) } },
    }, async ({ params: { id } }) => {
      await sessions.close(id)
      return success({ id, state: 'signed_out' as const })
    })
  }
}

/** Only for the socket: a browser that is signed in cannot let others in. */
export function signinLinkRoutes(sessions: Sessions): FastifyPluginAsyncZod {
  return async (app) => {
    app.post('/signin/link', {
      schema: { operationId: 'makeSigninLink', summary: 'A link that signs a browser in, once', tags, response: { 200: answer(signinLink) } },
    }, async () => success(await sessions.makeLink()))
  }
}

async function lineOf(sessions: Sessions, id: string) {
  const line = (await sessions.list()).find((one) => one.id === id)
  if (line === undefined) throw new Fault('conflict', 'session.ended', 'this session has just been ended')
  return line
}
