import type { FastifyPluginAsync } from 'fastify'
import { answerCall } from '../answer-call.ts'
import type { GateDeps } from '../app.ts'
import { authenticateFirst } from '../authenticate.ts'
import { tellErrors } from '../tell-errors.ts'
import { openaiError } from '../wire-error.ts'
import { readChat } from './read-chat.ts'
import { openaiChat } from './write-chat.ts'

/** OpenAI's chat completions. */
export function openaiChatRoutes(deps: GateDeps): FastifyPluginAsync {
  return async (app) => {
    tellErrors(app, deps, openaiError)
    authenticateFirst(app, deps)

    app.post('/v1/chat/completions', async (request, reply) => {
      const { includeUsage, ...asked } = readChat(request.body)
      return answerCall(deps, request, reply, asked, openaiChat(includeUsage))
    })
  }
}
