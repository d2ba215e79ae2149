import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import type { ServerDeps } from '../app.ts'
import { success } from '../envelope.ts'
import { recordRequest } from '../request/record-request.ts'
import { answer } from '../views/answer.ts'
import { recordedActs, secretActs, secretNames, takenSecrets } from '../views/secrets.ts'

const tags = ['secrets']

/** For who may open the socket, and for no browser: values are never asked for here, names alone. */
export function secretRoutes({ database, secrets }: Pick<ServerDeps, 'database' | 'secrets'>): FastifyPluginAsyncZod {
  return async (app) => {
    app.post('/secrets/acts', {
      schema: { operationId: 'recordSecretActs', summary: 'Record what the operator does with secrets: names, never a value. Socket only', tags, body: secretActs, response: { 200: answer(recordedActs) } },
    }, async ({ body: { acts } }) => {
      await database.transaction(async (client) => {
        for (const { id, act, name, at } of acts) await recordRequest(client, { request: `secret.${act}`, subject: name, detail: { id, at } })
      })
      return success({ state: 'recorded' as const, ids: acts.map(({ id }) => id) })
    })

    app.post('/secrets/take', {
      schema: { operationId: 'takeSecrets', summary: 'Start the processes anew that are given these secrets. Socket only', tags, body: secretNames, response: { 200: answer(takenSecrets) } },
    }, async ({ body: { names } }) => success(await secrets.take(names)))
  }
}
