import type { FastifyReply, FastifyRequest } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { ServerDeps } from '../app.ts'
import { followRun, hasAll, parsePosition } from '../events/follow-run.ts'
import { createStreams, type Stream } from '../events/stream.ts'
import type { Topic } from '../events/topics.ts'
import { createWatch } from '../events/watch.ts'
import { findRun, readLogAfter, resolveRun } from '../read/runs.ts'
import { withholdLine, withholdRun } from '../read/withhold.ts'

const tags = ['events']
const params = z.object({ id: z.string() })
const linesAtOnce = 200
const stream = { 200: { description: 'Server-sent events.', content: { 'text/event-stream': { schema: z.string() } } } }

export interface EventDeps extends Pick<ServerDeps, 'database' | 'wakes' | 'stopping' | 'log'> {
  readonly pollMs?: number
  readonly heartbeatMs?: number
}

/** What happens, as it happens. `mayListen` is asked again and again: is the session that asked still open? */
export function eventRoutes(deps: EventDeps, mayListen: (request: FastifyRequest) => Promise<boolean>): FastifyPluginAsyncZod {
  const { database, log } = deps
  return async (app) => {
    const streams = createStreams(deps)
    const watch = createWatch(deps)
    const openFor = (request: FastifyRequest, reply: FastifyReply) => streams.open(reply, () => mayListen(request))

    app.get('/events', {
      schema: {
        operationId: 'listen', tags, response: stream,
        summary: 'Hints that something changed',
        description: 'Event `hint` with `{"topic": "runs" | "drafts" | "jobs" | "house"}`: ask again what you show of it. Ask for everything whenever the stream opens: all that changes after that is told.',
      },
    }, async (request, reply) => {
      let stream: Stream | undefined
      const unwatch = await watch.topics((topics: ReadonlySet<Topic>) => {
        for (const topic of topics) void stream?.send('hint', { topic })
      })
      // opened only now: whoever asks for everything when it opens will hear of all that changes after that
      try {
        stream = openFor(request, reply)
      } catch (error) {
        unwatch()
        throw error
      }
      if (stream.ended.aborted) return unwatch()
      stream.ended.addEventListener('abort', unwatch, { once: true })
    })

    app.get('/runs/:id/events', {
      schema: {
        operationId: 'followRun', tags, params, response: { ...stream, 204: z.null().describe('Nothing more will come.') },
        summary: 'A run as it goes on, with what it logs',
        description: 'Event `run` with a RunDetail, event `log` with a LogLine. `Last-Event-ID` resumes without loss or repetition. '
          + 'The stream ends when the run is closed; who then comes back with the last id is answered 204, which tells a browser to stop. What is P3 local only is left out.',
      },
    }, async (request, reply) => {
      const id = await resolveRun(database, request.params.id)
      const reader = {
        run: async () => withholdRun(await findRun(database, id)),
        linesAfter: async (line: number) => (await readLogAfter(database, id, line, linesAtOnce)).map(withholdLine),
      }
      const position = parsePosition(request.headers['last-event-id'])
      if (await hasAll(reader, position)) return reply.status(204).send(null)
      const stream = openFor(request, reply)
      followRun(stream, watch, id, reader, position).catch((error: unknown) => log.warn({ err: error, run: id }, 'a stream of a run broke off'))
      return reply
    })
  }
}
