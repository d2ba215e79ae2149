import type { EventEmitter } from 'node:events'
import type { FastifyInstance } from 'fastify'
import type { House } from '../house/index.ts'
import type { Logger } from '../kernel/log.ts'
import type { GateReport } from '../models/index.ts'
import type { IsolationView } from './api.ts'
import { bareApp } from './bare-app.ts'
import type { Doctor } from './doctor/doctor.ts'
import type { Readiness } from './readiness.ts'
import type { RequestDeps } from './request/run-job.ts'
import type { ToolList } from './routes/tools.ts'
import { houseRoutes } from './routes/house.ts'
import { jobRoutes } from './routes/jobs.ts'
import { runRoutes } from './routes/runs.ts'
import { toolRoutes } from './routes/tools.ts'

export interface ServerDeps extends RequestDeps {
  readonly log: Logger
  readonly house: () => House
  /** What the gates say of their upstreams; `fresh` does not believe what those said a moment ago. */
  gates(fresh: boolean): Promise<readonly GateReport[]>
  readonly isolation: IsolationView
  readonly tools: ToolList
  readonly readiness: Readiness
  readonly doctor: Doctor
  /** Emits `wake` when a run may have moved on. */
  readonly wakes: EventEmitter
  /** Aborts when the server stops, so that nobody waits for a run any longer. */
  readonly stopping: AbortSignal
  /** Asks `up` to read the house again; answers with what it found. */
  reload(): Promise<unknown>
}

/** Everything the CLI may ask, for the Unix socket; who can open the socket is let in. */
export function createApp(deps: ServerDeps): FastifyInstance {
  const app = bareApp(deps.log)
  app.register(houseRoutes(deps), { prefix: '/api' })
  app.register(jobRoutes(deps), { prefix: '/api' })
  app.register(runRoutes(deps), { prefix: '/api' })
  app.register(toolRoutes(deps), { prefix: '/api' })
  return app
}
