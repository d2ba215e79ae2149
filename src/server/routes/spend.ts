import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { parseDuration } from '../../house/index.ts'
import { Fault } from '../../kernel/fault.ts'
import type { ServerDeps } from '../app.ts'
import { success } from '../envelope.ts'
import { readSpend } from '../read/spend.ts'
import { midnight } from '../read/today.ts'
import { answer } from '../views/answer.ts'
import { spendBy, spendView } from '../views/spend.ts'

const spendQuery = z.object({
  by: z.enum(spendBy).default('provider').describe('What the lines are for.'),
  since: z.string().max(50).optional().describe('A span such as 7d, or a moment in ISO 8601. Left out: since midnight.'),
})

/** What models cost. */
export function spendRoutes({ database, clock, house }: Pick<ServerDeps, 'database' | 'clock' | 'house'>): FastifyPluginAsyncZod {
  return async (app) => {
    app.get('/spend', {
      schema: { operationId: 'readSpend', summary: 'What models cost, and what the ceilings have left', tags: ['house'], querystring: spendQuery, response: { 200: answer(spendView) } },
    }, async ({ query }) => {
      const now = clock.now()
      const since = query.since === undefined ? await midnight(database, now, house().settings.timezone) : momentOf(query.since, now)
      return success(await readSpend(database, house(), { by: query.by, since }, now))
    })
  }
}

function momentOf(text: string, now: Date): Date {
  const moment = /^\d{4}-/.test(text) ? new Date(text) : new Date(now.getTime() - spanOf(text))
  if (Number.isNaN(moment.getTime())) throw notATime(text)
  return moment
}

function spanOf(text: string): number {
  try {
    return parseDuration(text)
  } catch {
    throw notATime(text)
  }
}

function notATime(text: string): Fault {
  return new Fault('invalid', 'spend.since', `${text} is not a time: write a span such as 24h or 7d, or a moment in ISO 8601`)
}
