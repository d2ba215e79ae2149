import type { FastifyPluginAsync } from 'fastify'
import { answerEmbed } from '../answer-call.ts'
import type { GateDeps } from '../app.ts'
import { authenticateFirst } from '../authenticate.ts'
import { tellErrors } from '../tell-errors.ts'
import { openaiError } from '../wire-error.ts'
import { readEmbeddings } from './read-embeddings.ts'
import { embeddingsAnswer } from './write-embeddings.ts'

/** OpenAI's embeddings. */
export function openaiEmbeddingsRoutes(deps: GateDeps): FastifyPluginAsync {
  return async (app) => {
    tellErrors(app, deps, openaiError)
    authenticateFirst(app, deps)

    app.post('/v1/embeddings', async (request, reply) => {
      const { encoding, ...asked } = readEmbeddings(request.body)
      return embeddingsAnswer(await answerEmbed(deps, request, reply, asked), encoding)
    })
  }
}
