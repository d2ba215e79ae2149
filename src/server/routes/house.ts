import type { FastifyPluginAsync } from 'fastify'
import { z } from 'zod'
import type { ServerDeps } from '../app.ts'
import { parseRequest } from '../envelope.ts'
import { listUpstreams } from '../read/calls.ts'
import { readStatus } from '../read/status.ts'
import { midnight, readToday } from '../read/today.ts'
import { recordRequest } from '../request/record-request.ts'

/** `fresh`: the upstreams are asked anew, whatever they said a moment ago. */
const modelsQuery = z.object({ fresh: z.literal('1').optional() })

type Deps = Pick<ServerDeps, 'database' | 'clock' | 'house' | 'gates' | 'isolation' | 'readiness' | 'doctor' | 'reload'>

/** What goes on in the house as a whole. */
export function houseRoutes(deps: Deps): FastifyPluginAsync {
  const whole = () => ({ database: deps.database, house: deps.house(), isolation: deps.isolation })
  return async (app) => {
    app.get('/status', async () => ({ ok: true, data: await readStatus(whole(), (await deps.readiness.look()).parts) }))

    app.get('/today', async () => ({ ok: true, data: await readToday(whole(), deps.clock.now()) }))

    app.get('/doctor', async () => ({ ok: true, data: await deps.doctor.examine() }))

    app.get('/models', async (request) => {
      const { fresh } = parseRequest(modelsQuery, request.query)
      const house = deps.house()
      const [reports, since] = await Promise.all([deps.gates(fresh !== undefined), midnight(deps.database, deps.clock.now(), house.settings.timezone)])
      return { ok: true, data: await listUpstreams(deps.database, house, reports, since) }
    })

    app.post('/reload', async () => {
      await recordRequest(deps.database.pool, { request: 'house.reload', subject: 'house' })
      return { ok: true, data: await deps.reload() }
    })
  }
}
