import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { ServerDeps } from '../app.ts'
import { success } from '../envelope.ts'
import { findJob, jobFires, jobHistory, listJobs } from '../read/jobs.ts'
import type { Fires } from '../read/remember-fires.ts'
import { pauseJob } from '../request/pause-job.ts'
import { runJob } from '../request/run-job.ts'
import { answer } from '../views/answer.ts'
import { fireView, jobDetail, jobLine, occurrenceView, pausedJob } from '../views/jobs.ts'
import { openedRun } from '../views/runs.ts'
import { limit } from './limit.ts'

const tags = ['jobs']
const params = z.object({ name: z.string() })
const runBody = z.strictObject({
  input: z.record(z.string(), z.unknown()).optional(),
  key: z.string().min(1).max(200).optional().describe('A second request with the same key is answered with the first run.'),
})

/** Jobs: what they are, what became of their slots, and the operator's requests. */
export function jobRoutes(deps: ServerDeps, fires: Fires): FastifyPluginAsyncZod {
  const { database, clock } = deps
  return async (app) => {
    app.get('/jobs', {
      schema: { operationId: 'listJobs', summary: 'The jobs by name, each with its next fires and last slots', tags, response: { 200: answer(z.array(jobLine)) } },
    }, async () => success(await listJobs(database, clock.now(), fires)))

    app.get('/jobs/:name', {
      schema: { operationId: 'findJob', summary: 'A job with its steps', tags, params, response: { 200: answer(jobDetail) } },
    }, async ({ params: { name } }) => success(await findJob(database, name, clock.now(), fires)))

    app.get('/jobs/:name/next', {
      schema: { operationId: 'jobFires', summary: 'Its next fires', tags, params, querystring: z.object({ limit: limit(5) }), response: { 200: answer(z.array(fireView)) } },
    }, async ({ params: { name }, query }) => success(await jobFires(database, name, clock.now(), query.limit, fires)))

    app.get('/jobs/:name/history', {
      schema: { operationId: 'jobHistory', summary: 'What became of its slots, the newest first', tags, params, querystring: z.object({ limit: limit(50) }), response: { 200: answer(z.array(occurrenceView)) } },
    }, async ({ params: { name }, query }) => success(await jobHistory(database, name, query.limit)))

    app.post('/jobs/:name/run', {
      schema: { operationId: 'runJob', summary: 'Run it now', tags, params, body: runBody, response: { 202: answer(openedRun) } },
    }, async ({ params: { name }, body: { input, key } }, reply) => {
      const opened = await runJob(deps, { job: name, ...(input && { input }), ...(key && { key }) })
      return reply.status(202).send(success(opened))
    })

    app.post('/jobs/:name/pause', {
      schema: { operationId: 'pauseJob', summary: 'Hold its schedule; slots that pass are recorded as skipped', tags, params, response: { 200: answer(pausedJob) } },
    }, async ({ params: { name } }) => success(await pauseJob(database, name, true)))

    app.post('/jobs/:name/resume', {
      schema: { operationId: 'resumeJob', summary: 'Let its schedule go on', tags, params, response: { 200: answer(pausedJob) } },
    }, async ({ params: { name } }) => success(await pauseJob(database, name, false)))
  }
}
