import type { FastifyPluginAsync } from 'fastify'
import type { ServerDeps } from '../app.ts'
import { rememberFires } from '../read/remember-fires.ts'
import { alertRoutes } from './alerts.ts'
import { batchRoutes } from './batches.ts'
import { draftRoutes } from './drafts.ts'
import { houseRoutes } from './house.ts'
import { jobRoutes } from './jobs.ts'
import { runRoutes } from './runs.ts'
import { sessionRoutes } from './sessions.ts'
import { sourceRoutes } from './sources.ts'
import { spendRoutes } from './spend.ts'
import { toolRoutes } from './tools.ts'
import { webhookRoutes } from './webhooks.ts'

/** Through which door a request came: a browser is not shown what is P3 unless it asks for it. */
export type Door = 'socket' | 'browser'

/** What may be asked through either door. Nothing here decides or shows a draft: that is the releaser's alone. */
export function apiRoutes(deps: ServerDeps, door: Door): FastifyPluginAsync {
  const fires = rememberFires()
  return async (app) => {
    app.register(houseRoutes(deps, door, fires))
    app.register(spendRoutes(deps))
    app.register(alertRoutes(deps))
    app.register(batchRoutes(deps))
    app.register(jobRoutes(deps, fires))
    app.register(runRoutes(deps, door))
    app.register(draftRoutes(deps))
    app.register(toolRoutes(deps, door))
    app.register(webhookRoutes(deps))
    app.register(sourceRoutes(deps))
    app.register(sessionRoutes(deps.sessions))
  }
}
