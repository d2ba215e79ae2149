import type { FastifyPluginAsync } from 'fastify'
import { z } from 'zod'
import type { ServerDeps } from '../app.ts'
import type { ToolRunView, ToolView } from '../api.ts'
import { parseRequest } from '../envelope.ts'
import { findRun } from '../read/runs.ts'
import { runJob } from '../request/run-job.ts'
import { hungUp, waitForRun } from '../wait-for-run.ts'

/** What a caller is told of the tools; `describe` throws for one that does not exist. */
export interface ToolList {
  list(): readonly { readonly name: string }[]
  describe(name: string): ToolView
}

const runBody = z.strictObject({
  input: z.record(z.string(), z.unknown()).default({}),
  /** Seconds; the run goes on when the time is up. */
  wait: z.number().min(0).max(600).default(120),
})

/** The id of the only step in the built-in job of a tool. */
const onlyStep = 'call'

/** Tools, each of which the operator may run by itself: as a run like any other, in the built-in job `tool.NAME`. */
export function toolRoutes(deps: ServerDeps): FastifyPluginAsync {
  return async (app) => {
    app.get('/tools', async () => ({ ok: true, data: deps.tools.list().map(({ name }) => deps.tools.describe(name)) }))

    app.post('/tools/:name/run', async (request, reply) => {
      const { name } = parseRequest(z.object({ name: z.string() }), request.params)
      const { input, wait } = parseRequest(runBody, request.body)
      deps.tools.describe(name)
      const opened = await runJob(deps, { job: `tool.${name}`, input })
      const signal = AbortSignal.any([deps.stopping, hungUp(reply)])
      await waitForRun(deps, opened.id, { milliseconds: wait * 1000, signal, endWhenParked: true })
      return { ok: true, data: await result(name, opened.id) }
    })
  }

  async function result(tool: string, id: string): Promise<ToolRunView> {
    const run = await findRun(deps.database, id)
    const step = run.steps.find((one) => one.id === onlyStep)
    return {
      run: id,
      tool,
      state: run.state,
      output: step?.output ?? null,
      label: run.label,
      made_without_model: run.made_without_model,
      error: run.error ?? step?.error ?? null,
    }
  }
}
