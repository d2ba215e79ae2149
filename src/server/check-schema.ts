import type { FastifyInstance, FastifySchema } from 'fastify'
import type { ZodType } from 'zod'
import { Fault } from '../kernel/fault.ts'
import { parseRequest } from './envelope.ts'

/**
 * Holds requests against the schema of their route. Answers only where `checkAnswers` says so, which is in tests: what an
 * operator asks for at night should come even when a view has forgotten a field.
 */
export function checkBySchema(app: FastifyInstance, checkAnswers: boolean): void {
  app.setValidatorCompiler<FastifySchema & ZodType>(({ schema }) => (value) => {
    try {
      return { value: parseRequest(schema, value) }
    } catch (error) {
      return { error: error as Fault }
    }
  })
  app.setSerializerCompiler<ZodType>(({ schema, method, url }) => {
    if (!checkAnswers) return JSON.stringify
    return (value) => {
      const { error } = schema.safeParse(JSON.parse(JSON.stringify(value)))
      if (error === undefined) return JSON.stringify(value)
      throw new Fault('internal', 'answer.schema', `${method} ${url} does not answer what its schema says: ${error.message}`)
    }
  })
}
