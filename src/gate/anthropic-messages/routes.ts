import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { answerCall, answerCount } from '../answer-call.ts'
import type { GateDeps } from '../app.ts'
import { authenticateFirst } from '../authenticate.ts'
import { tellErrors } from '../tell-errors.ts'
import { readMessages } from './read-messages.ts'
import { anthropicError, anthropicMessages } from './write-messages.ts'

/** Which features a client counts on. */
function passedHeaders({ headers: { 'anthropic-beta': beta } }: FastifyRequest): Readonly<Record<string, string>> {
  return beta === undefined ? {} : { 'anthropic-beta': String(beta) }
}

/** Anthropic's messages. */
export function anthropicMessagesRoutes(deps: GateDeps): FastifyPluginAsync {
  return async (app) => {
    tellErrors(app, deps, anthropicError)

    // Claude Code asks before anything else, without a key, whether somebody is there
    app.head('/', async (_request, reply) => reply.status(200).send())

    await app.register(async (withKey) => {
      authenticateFirst(withKey, deps)
      withKey.post('/v1/messages', async (request, reply) => answerCall(deps, request, reply, readMessages(request.body, passedHeaders(request)), anthropicMessages))

      withKey.post('/v1/messages/count_tokens', async (request, reply) => answerCount(deps, request, reply, readMessages(request.body, passedHeaders(request))))
    })
  }
}
