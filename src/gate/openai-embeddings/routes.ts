import type { FastifyPluginAsync } from 'fastify'
import type { EmbedAnswer } from '../../models/index.ts'
import { whileClientWaits } from '../answer-call.ts'
import type { GateDeps } from '../app.ts'
import { authenticateFirst, readHeaders, sessionOf } from '../authenticate.ts'
import { tellErrors } from '../tell-errors.ts'
import { openaiError } from '../wire-error.ts'
import { readEmbeddings, type AskedEmbeddings } from './read-embeddings.ts'

/** OpenAI's embeddings. */
export function openaiEmbeddingsRoutes(deps: GateDeps): FastifyPluginAsync {
  return async (app) => {
    tellErrors(app, deps, openaiError)
    authenticateFirst(app, deps)

    app.post('/v1/embeddings', async (request, reply) => {
      const { encoding, ...asked } = readEmbeddings(request.body)
      const answer = await whileClientWaits(deps, reply, (signal) => deps.calls.embed({ session: sessionOf(request), ...readHeaders(request), ...asked, signal }))
      return reply.header('x-castellan-upstream', answer.upstream).send(toOpenai(answer, encoding))
    })
  }
}

function toOpenai({ upstream, model, vectors, inputTokens }: EmbedAnswer, encoding: AskedEmbeddings['encoding']): object {
  return {
    object: 'list',
    data: vectors.map((vector, index) => ({ object: 'embedding', index, embedding: encoding === 'float' ? vector : toBase64(vector) })),
    model: `${upstream}/${model}`,
    usage: { prompt_tokens: inputTokens, total_tokens: inputTokens },
  }
}

/** 32-bit floats, little-endian. */
function toBase64(vector: readonly number[]): string {
  const bytes = Buffer.allocUnsafe(vector.length * 4)
  vector.forEach((number, index) => bytes.writeFloatLE(number, index * 4))
  return bytes.toString('base64')
}
