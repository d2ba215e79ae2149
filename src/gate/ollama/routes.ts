import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { Fault } from '../../kernel/fault.ts'
import { answerCall, answerEmbed } from '../answer-call.ts'
import type { GateDeps } from '../app.ts'
import { authenticateFirst, sessionOf } from '../authenticate.ts'
import { fields, readModel } from '../check.ts'
import { readEmbeddings } from '../openai-embeddings/read-embeddings.ts'
import { tellErrors } from '../tell-errors.ts'
import { readChat, readGenerate } from './read-chat.ts'
import { asMessage, asResponse, ollamaAnswer, ollamaError } from './write-answer.ts'
import { asShown, asTag } from './write-models.ts'

/** Clients compare it with the one in which something came that they need: all that is served here was there in it. */
const version = '0.12.0+castellan'

const installs = ['pull', 'push', 'create', 'copy', 'delete', 'blobs/*']

/** Ollama's own wire. */
export function ollamaRoutes(deps: GateDeps): FastifyPluginAsync {
  return async (app) => {
    tellErrors(app, deps, ollamaError)

    // asked first of all, by some to see whether somebody is there
    app.get('/api/version', async () => ({ version }))

    await app.register(async (withKey) => {
      authenticateFirst(withKey, deps)
      withKey.post('/api/chat', async (request, reply) => answerCall(deps, request, reply, readChat(request.body), ollamaAnswer(asMessage, deps.clock)))
      withKey.post('/api/generate', async (request, reply) => answerCall(deps, request, reply, readGenerate(request.body), ollamaAnswer(asResponse, deps.clock)))
      embedRoutes(withKey, deps)
      modelRoutes(withKey, deps)
      withKey.all('/api/*', async (request) => {
        throw new Fault('missing', 'route.unknown', `there is no ${request.method} ${request.url.split('?')[0]} here; POST /api/chat, /api/generate, /api/embed, /api/embeddings and /api/show, GET /api/tags, /api/ps and /api/version are`)
      })
    })
  }
}

function embedRoutes(app: FastifyInstance, deps: GateDeps): void {
  const embed = async (request: FastifyRequest, reply: FastifyReply, body: unknown) => {
    const { model, input, dimensions } = readEmbeddings(body)
    return answerEmbed(deps, request, reply, { model, input, dimensions })
  }

  app.post('/api/embed', async (request, reply) => {
    const { upstream, model, vectors, inputTokens } = await embed(request, reply, request.body)
    return { model: `${upstream}/${model}`, embeddings: vectors, prompt_eval_count: inputTokens }
  })

  app.post('/api/embeddings', async (request, reply) => {
    const asked = fields(request.body, '')
    const { vectors } = await embed(request, reply, { model: asked.get('model'), input: asked.text('prompt') })
    return { embedding: vectors[0] }
  })
}

function modelRoutes(app: FastifyInstance, deps: GateDeps): void {
  app.get('/api/tags', async (request) => {
    const models = await deps.calls.list(sessionOf(request))
    return { models: [...(models.length > 0 ? ['auto'] : []), ...models.map(({ upstream, model }) => `${upstream}/${model}`)].map(asTag) }
  })

  app.post('/api/show', async (request) => {
    const asked = fields(request.body, '')
    const name = asked.text('name') ?? readModel(asked)
    const models = await deps.calls.list(sessionOf(request))
    const isRoute = name === 'auto' || (name.startsWith('task:') && Object.hasOwn(deps.models().routes, name.slice('task:'.length)))
    if (isRoute && models.length > 0) return asShown(undefined)
    const found = models.find(({ upstream, model }) => [`${upstream}/${model}`, model].some((known) => known === name || known === `${name}:latest`))
    if (!found) throw new Fault('missing', 'model_not_found', 'this key reaches no model of that name; GET /api/tags lists those that it reaches', { param: 'model' })
    return asShown(await deps.models().catalog.get(found.upstream)?.describe?.(found.model))
  })

  // what lies in the memory of which machine nobody asks through a gate
  app.get('/api/ps', async () => ({ models: [] }))

  for (const path of installs) {
    app.all(`/api/${path}`, async () => {
      throw new Fault('refused', 'route.refused', 'models are installed and removed on the machine where they run, by its own ollama, not through a gate')
    })
  }
}
