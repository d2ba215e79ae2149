import type { EventEmitter } from 'node:events'
import type { FastifyInstance } from 'fastify'
import type { House } from '../house/index.ts'
import type { SecretReport } from '../secrets/index.ts'
import type { Logger } from '../kernel/log.ts'
import type { GateReport } from '../models/index.ts'
import type { IsolationView, Reloaded, TakenSecrets } from './api.ts'
import { bareApp, type BareAppOptions } from './bare-app.ts'
import type { Doctor } from './doctor/doctor.ts'
import type { Readiness } from './readiness.ts'
import type { RequestDeps } from './request/run-job.ts'
import type { WebhookListener } from './read/webhooks.ts'
import type { ToolList } from './routes/tools.ts'
import { apiRoutes } from './routes/api.ts'
import { secretRoutes } from './routes/secrets.ts'
import { signinLinkRoutes } from './routes/sessions.ts'
import type { Sessions } from './signin/sessions.ts'

export interface ServerDeps extends RequestDeps, BareAppOptions {
  readonly log: Logger
  readonly house: () => House
  /** What the gates say of their upstreams; `fresh` does not believe what those said a moment ago. */
  gates(fresh: boolean): Promise<readonly GateReport[]>
  readonly isolation: IsolationView
  readonly tools: ToolList
  readonly webhooks: WebhookListener
  readonly readiness: Readiness
  readonly doctor: Doctor
  readonly sessions: Sessions
  /** Emits `wake` when a run may have moved on. */
  readonly wakes: EventEmitter
  /** Aborts when the server stops, so that nobody waits for a run any longer. */
  readonly stopping: AbortSignal
  /** Asks `up` to read the house again; answers with what it found. */
  reload(): Promise<Reloaded>
  /** Names and dates, as `up` tells them; no value. */
  readonly secrets: { report(): SecretReport; take(names: readonly string[]): Promise<TakenSecrets> }
}

/** Everything that the CLI may ask, for the Unix socket; who can open the socket is let in. */
export function createApp(deps: ServerDeps): FastifyInstance {
  const app = bareApp(deps.log, deps)
  app.register(apiRoutes(deps, 'socket'), { prefix: '/api' })
  app.register(signinLinkRoutes(deps.sessions), { prefix: '/api' })
  app.register(secretRoutes(deps), { prefix: '/api' })
  return app
}
