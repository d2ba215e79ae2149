import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { Fault } from '../../kernel/fault.ts'
import { answerCall, answerCount, answerEmbed } from '../answer-call.ts'
import type { GateDeps } from '../app.ts'
import { authenticateFirst } from '../authenticate.ts'
import { wrong } from '../check.ts'
import { tellErrors } from '../tell-errors.ts'
import { geminiError } from './gemini-error.ts'
import { readEmbed, readEmbedBatch } from './read-embed.ts'
import { readCount, readGemini } from './read-gemini.ts'
import { geminiContent, type StreamForm } from './write-gemini.ts'

type Query = { Querystring: { alt?: string }; Params: { '*': string } }

/** Google's Gemini API. */
export function geminiRoutes(deps: GateDeps): FastifyPluginAsync {
  return async (app) => {
    tellErrors(app, deps, geminiError)
    authenticateFirst(app, deps)

    const answer = (request: FastifyRequest<Query>, reply: FastifyReply, model: string, form?: StreamForm) => {
      const asked = readGemini(request.body, model, form !== undefined)
      return answerCall(deps, request, reply, asked, geminiContent(asked, form))
    }

    const embed = async (request: FastifyRequest, reply: FastifyReply, asked: ReturnType<typeof readEmbed>) => {
      const { vectors } = await answerEmbed(deps, request, reply, asked)
      return vectors.map((values) => ({ values }))
    }

    const methods: Readonly<Record<string, (request: FastifyRequest<Query>, reply: FastifyReply, model: string) => Promise<unknown>>> = {
      generateContent: (request, reply, model) => answer(request, reply, model),
      streamGenerateContent: (request, reply, model) => answer(request, reply, model, formOf(request.query.alt)),
      countTokens: (request, reply, model) => answerCount(deps, request, reply, readCount(request.body, model)),
      embedContent: async (request, reply, model) => ({ embedding: (await embed(request, reply, readEmbed(request.body, model)))[0] }),
      batchEmbedContents: async (request, reply, model) => ({ embeddings: await embed(request, reply, readEmbedBatch(request.body, model)) }),
    }

    // names have slashes and colons, which some clients send as they are; the method stands behind the last colon
    for (const path of ['/v1beta/*', '/v1/models/*']) app.post<Query>(path, async (request, reply) => {
      const { model, method } = readPath(request.params['*'])
      const serve = Object.hasOwn(methods, method) ? methods[method] : undefined
      if (!serve) throw new Fault('missing', 'route.unknown', `there is no ${request.url.split('?')[0]} here; POST /v1beta/models/MODEL:METHOD is, with one of ${Object.keys(methods).join(', ')}`)
      return serve(request, reply, model)
    })
  }
}

/** Some clients leave `models/` out where a name has a slash. */
function readPath(path: string): { readonly model: string; readonly method: string } {
  const colon = path.lastIndexOf(':')
  return { model: path.slice(0, Math.max(0, colon)).replace(/^models\//, ''), method: path.slice(colon + 1) }
}

function formOf(alt: string | undefined): StreamForm {
  if (alt === 'sse') return 'events'
  if (alt === undefined || alt === 'json') return 'list'
  throw wrong('alt', 'sse or json')
}
