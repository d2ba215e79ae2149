import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { Fault } from '../../kernel/fault.ts'
import { anthropicError } from '../anthropic-messages/write-messages.ts'
import type { GateDeps } from '../app.ts'
import { authenticateFirst, sessionOf } from '../authenticate.ts'
import { geminiError } from '../gemini/gemini-error.ts'
import { tellErrors } from '../tell-errors.ts'
import { openaiError } from '../wire-error.ts'
import { anthropicModels, geminiModels, openaiModels, type Dialect } from './dialects.ts'

type Named = { Params: { '*': string } }

/** The models that a key reaches, by the names that they are asked for with. Three wires ask for them at the same address. */
export function modelListRoutes(deps: GateDeps): FastifyPluginAsync {
  return async (app) => {
    tellErrors(app, deps, (error, request) => errorsOf[nameOf(request)](error))
    authenticateFirst(app, deps)

    const namesFor = async (request: FastifyRequest) => {
      const models = await deps.calls.list(sessionOf(request))
      return [...(models.length > 0 ? ['auto'] : []), ...models.map(({ upstream, model }) => `${upstream}/${model}`)]
    }
    const list = async (request: FastifyRequest) => dialects[nameOf(request)].list(await namesFor(request), deps.clock.now())
    // names have slashes, which some clients send as they are
    const one = async (request: FastifyRequest<Named>) => {
      const name = (await namesFor(request)).find((known) => known === request.params['*'])
      if (name === undefined) throw new Fault('missing', 'model_not_found', 'this key reaches no model of that name; GET /v1/models lists those that it reaches', { param: 'model' })
      return dialects[nameOf(request)].one(name, deps.clock.now())
    }

    for (const path of ['/v1/models', '/v1beta/models']) {
      app.get(path, list)
      app.get<Named>(`${path}/*`, one)
    }
  }
}

const dialects: Readonly<Record<'anthropic' | 'gemini' | 'openai', Dialect>> = { anthropic: anthropicModels, gemini: geminiModels, openai: openaiModels }
const errorsOf = { anthropic: anthropicError, gemini: geminiError, openai: openaiError } as const

/** By the headers that only the clients of one wire send. */
function nameOf({ url, headers }: FastifyRequest): keyof typeof dialects {
  if (url.startsWith('/v1beta/') || headers['x-goog-api-key'] !== undefined) return 'gemini'
  return headers['anthropic-version'] === undefined ? 'openai' : 'anthropic'
}
