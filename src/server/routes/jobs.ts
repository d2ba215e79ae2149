import type { FastifyPluginAsync } from 'fastify'
import { z } from 'zod'
import type { ServerDeps } from '../app.ts'
import { parseRequest } from '../envelope.ts'
import { findJob, jobFires, jobHistory, listJobs } from '../read/jobs.ts'
import { pauseJob } from '../request/pause-job.ts'
import { runJob } from '../request/run-job.ts'

const named = z.object({ name: z.string() })
const counted = (standard: number) => z.object({ limit: z.coerce.number().int().min(1).max(1000).default(standard) })
const runBody = z.strictObject({
  input: z.record(z.string(), z.unknown()).optional(),
  key: z.string().min(1).max(200).optional(),
})

/** Jobs: what they are, what became of their slots, and the operator's requests. */
export function jobRoutes(deps: ServerDeps): FastifyPluginAsync {
  const { database, clock } = deps
  return async (app) => {
    app.get('/jobs', async () => ({ ok: true, data: await listJobs(database, clock.now()) }))

    app.get('/jobs/:name', async (request) => {
      const { name } = parseRequest(named, request.params)
      return { ok: true, data: await findJob(database, name, clock.now()) }
    })

    app.get('/jobs/:name/next', async (request) => {
      const { name } = parseRequest(named, request.params)
      const { limit } = parseRequest(counted(5), request.query)
      return { ok: true, data: await jobFires(database, name, clock.now(), limit) }
    })

    app.get('/jobs/:name/history', async (request) => {
      const { name } = parseRequest(named, request.params)
      const { limit } = parseRequest(counted(50), request.query)
      return { ok: true, data: await jobHistory(database, name, limit) }
    })

    app.post('/jobs/:name/run', async (request, reply) => {
      const { name } = parseRequest(named, request.params)
      const { input, key } = parseRequest(runBody, request.body)
      const opened = await runJob(deps, { job: name, ...(input && { input }), ...(key && { key }) })
      return reply.status(202).send({ ok: true, data: opened })
    })

    app.post('/jobs/:name/pause', async (request) => {
      return { ok: true, data: await pauseJob(database, parseRequest(named, request.params).name, true) }
    })

    app.post('/jobs/:name/resume', async (request) => {
      return { ok: true, data: await pauseJob(database, parseRequest(named, request.params).name, false) }
    })
  }
}
