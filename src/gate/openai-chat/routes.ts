import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { Fault } from '../../kernel/fault.ts'
import { answerCall } from '../answer-call.ts'
import type { GateDeps } from '../app.ts'
import { authenticateFirst, sessionOf } from '../authenticate.ts'
import { tellErrors } from '../tell-errors.ts'
import { openaiError } from '../wire-error.ts'
import { readChat } from './read-chat.ts'
import { openaiChat } from './write-chat.ts'

/** OpenAI's wire: chat completions and the list of models. */
export function openaiChatRoutes(deps: GateDeps): FastifyPluginAsync {
  return async (app) => {
    tellErrors(app, deps, openaiError)
    authenticateFirst(app, deps)

    const modelsFor = async (request: FastifyRequest) => {
      const created = Math.floor(deps.clock.now().getTime() / 1000)
      const models = await deps.calls.list(sessionOf(request))
      const names = [...(models.length > 0 ? ['auto'] : []), ...models.map(({ upstream, model }) => `${upstream}/${model}`)]
      return names.map((id) => ({ id, object: 'model', created, owned_by: id.includes('/') ? id.slice(0, id.indexOf('/')) : 'castellan' }))
    }

    app.get('/v1/models', async (request) => ({ object: 'list', data: await modelsFor(request) }))

    // names have slashes, which some clients send as they are
    app.get<{ Params: { '*': string } }>('/v1/models/*', async (request) => {
      const model = (await modelsFor(request)).find(({ id }) => id === request.params['*'])
      if (!model) throw new Fault('missing', 'model_not_found', 'this key reaches no model of that name; GET /v1/models lists those that it reaches', { param: 'model' })
      return model
    })

    app.post('/v1/chat/completions', async (request, reply) => {
      const { includeUsage, ...asked } = readChat(request.body)
      return answerCall(deps, request, reply, asked, openaiChat(includeUsage))
    })
  }
}
