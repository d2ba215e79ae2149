import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { ServerDeps } from '../app.ts'
import { success } from '../envelope.ts'
import type { ToolRunView, ToolView } from '../api.ts'
import { findRun } from '../read/runs.ts'
import { withholdToolRun } from '../read/withhold.ts'
import { runJob } from '../request/run-job.ts'
import { answer } from '../views/answer.ts'
import { toolRunView, toolView } from '../views/tools.ts'
import { hungUp, waitForRun } from '../wait-for-run.ts'
import type { Door } from './api.ts'

/** What a caller is told of the tools; `describe` throws for one that does not exist. */
export interface ToolList {
  list(): readonly { readonly name: string }[]
  describe(name: string): ToolView
}

const tags = ['tools']
const params = z.object({ name: z.string() })
const runBody = z.strictObject({
  input: z.record(z.string(), z.unknown()).default({}),
  wait: z.number().min(0).max(600).default(120).describe('Seconds; the run goes on when the time is up.'),
})

/** The id of the only step in the built-in job of a tool. */
const onlyStep = 'call'

/** Tools, each of which the operator may run by itself: as a run like any other, in the built-in job `tool.NAME`. */
export function toolRoutes(deps: ServerDeps, door: Door): FastifyPluginAsyncZod {
  return async (app) => {
    app.get('/tools', {
      schema: { operationId: 'listTools', summary: 'Everything that a job can do', tags, response: { 200: answer(z.array(toolView)) } },
    }, async () => success(deps.tools.list().map(({ name }) => deps.tools.describe(name))))

    app.post('/tools/:name/run', {
      schema: { operationId: 'runTool', summary: 'Run one tool by itself', tags, params, body: runBody, response: { 200: answer(toolRunView) } },
    }, async ({ params: { name }, body: { input, wait } }, reply) => {
      deps.tools.describe(name)
      const opened = await runJob(deps, { job: `tool.${name}`, input })
      const signal = AbortSignal.any([deps.stopping, hungUp(reply)])
      await waitForRun(deps, opened.id, { milliseconds: wait * 1000, signal, endWhenParked: true })
      const run = await result(name, opened.id)
      return success(door === 'browser' ? withholdToolRun(run) : run)
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
      withheld: false,
      label: run.label,
      made_without_model: run.made_without_model,
      error: run.error ?? step?.error ?? null,
    }
  }
}
