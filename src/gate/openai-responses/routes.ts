import type { FastifyPluginAsync } from 'fastify'
import { Fault } from '../../kernel/fault.ts'
import { answerCall } from '../answer-call.ts'
import type { GateDeps } from '../app.ts'
import { authenticateFirst } from '../authenticate.ts'
import { tellErrors } from '../tell-errors.ts'
import { openaiError } from '../wire-error.ts'
import { readResponses } from './read-responses.ts'
import { openaiResponses } from './write-responses.ts'

/** OpenAI's responses. */
export function openaiResponsesRoutes(deps: GateDeps): FastifyPluginAsync {
  return async (app) => {
    tellErrors(app, deps, openaiError)
    authenticateFirst(app, deps)

    app.post('/v1/responses', async (request, reply) => {
      const { echo, tools, ...asked } = readResponses(request.body)
      return answerCall(deps, request, reply, asked, openaiResponses(echo, tools))
    })

    // Codex tries a WebSocket first; told 426 it posts from then on, told anything else it tries again
    app.get('/v1/responses', async (request, reply) => {
      const websocket = request.headers.upgrade?.toLowerCase() === 'websocket'
      const { status, body } = openaiError(new Fault('missing', 'route.unknown', 'responses are asked for with POST /v1/responses; there is no WebSocket here, and none is stored'))
      return reply.status(websocket ? 426 : status).send(body)
    })
  }
}
