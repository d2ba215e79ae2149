import { EventEmitter } from 'node:events'
import { join } from 'node:path'
import { systemClock } from '../kernel/clock.ts'
import { connect } from '../kernel/database/connect.ts'
import { checkSchema } from '../kernel/database/migrate.ts'
import { Fault } from '../kernel/fault.ts'
import { listenOnLoopback, listenOnSocket } from '../kernel/listen.ts'
import { createLogger } from '../kernel/log.ts'
import { createReporter, settleAlerts, type Reporter } from '../health/index.ts'
import { signingSite } from '../house/index.ts'
import { createRunOpener, createScheduler, openAlertRuns } from '../jobs/index.ts'
import { listModels } from '../models/list-models.ts'
import type { QueueName } from '../runs/index.ts'
import {
  createApp,
  createDoctor,
  createLoopbackApp,
  createReadiness,
  createSessions,
  alertsExamination,
  databaseExaminations,
  fenceExamination,
  machineExaminations,
  mailboxExamination,
  ownMachinesExamination,
  secretsExamination,
  signingExamination,
  sourceExamination,
  webhookExamination,
  type Reloaded,
} from '../server/index.ts'
import { allTools } from '../tools/all-tools.ts'
import { createRegistry } from '../tools/index.ts'
import type { Boot, Host, Started } from './boot.ts'
import { startLoop } from './loop.ts'
import { openWebhooks } from './webhooks.ts'
import type { Taken } from './take-secrets.ts'

const tickMs = 1_000
const settleMs = 15_000
/** So soon after an alert opened a job is started that waits for one; what opens together is told together. */
const alertMs = 5_000
const pages = join(import.meta.dirname, '..', '..', 'web', 'dist', 'dashboard')

/** Answers the operator on a Unix socket, says on loopback whether Castellan is well, keeps the schedule, and takes in what webhooks deliver. */
export async function start(boot: Boot, host: Host): Promise<Started> {
  const log = createLogger({ name: boot.process })
  const clock = systemClock
  const database = connect(boot.database, {
    application: boot.process, max: 8, onLost: (error) => log.warn({ err: error }, 'a connection to the database was lost'),
    onRefused: (code) => reporter.note('database.refused', boot.database.user, { code }),
  })
  const reporter: Reporter = createReporter({ database, clock, log })
  let house = boot.house
  const wake = (name: QueueName) => host.wake(name === 'runs_open' ? 'worker-open' : 'worker-private')

  const scheduler = createScheduler({ database, clock, log, onEnqueued: wake })
  host.onHouse((changed) => {
    house = changed
    scheduler.refresh().catch((error: unknown) => log.error({ err: error }, 'could not read the changed jobs'))
  })

  const wakes = new EventEmitter().setMaxListeners(0)
  host.onWake(() => wakes.emit('wake'))
  const stopping = new AbortController()
  const readiness = createReadiness({ database, clock, scheduler, checkSchema })
  const { isolation, home, sockets } = boot
  const releaserPort = boot.house.settings.ports.releaser
  const gates = (fresh: boolean) => listModels(sockets, fresh)
  let secretReport = boot.secretReport ?? { states: [], problem: null }
  const webhooks = await openWebhooks(boot, {
    database, log, wake, house: () => house,
    onForged: (webhook, code) => reporter.note('webhook.forged', webhook, { code }),
    onRefused: (role, code) => reporter.note('database.refused', role, { code }),
  })
  const doctor = createDoctor([
    ...databaseExaminations({ database, clock, checkSchema }),
    mailboxExamination({ database, house: () => house }),
    fenceExamination({ database, clock: systemClock }),
    alertsExamination({ database, house: () => house }),
    ownMachinesExamination({ database, house: () => house }),
    webhookExamination({ database, clock, webhooks, house: () => house }),
    secretsExamination({ clock, secrets: () => secretReport }),
    sourceExamination({ database, clock, house: () => house }),
    ...machineExaminations({ home, house: () => house, gates, isolation, path: process.env.PATH ?? '', platform: process.platform }),
    signingExamination({ site: () => signingSite(house.settings.signing, releaserPort), port: releaserPort }),
  ])
  let address = `http://127.0.0.1:${house.settings.ports.server}`
  const origin = () => address
  const exposed = () => house.settings.exposed
  const deps = {
    database, clock, log, isolation, readiness, doctor, wakes, wake, webhooks,
    sessions: createSessions({ database, clock, origin, exposed }),
    open: createRunOpener(database, wake),
    house: () => house,
    gates,
    tools: createRegistry(allTools),
    stopping: stopping.signal,
    reload: () => reload(host),
    onError: (error: Error) => reporter.fault(error, 'dashboard'),
    secrets: {
      report: () => secretReport,
      async take(names: readonly string[]) {
        const { report, restarted, pending, needs_start } = await takeSecrets(host, names)
        secretReport = report
        return { state: 'taken' as const, restarted: [...restarted], pending: [...pending], needs_start }
      },
    },
  }
  const app = createApp(deps)
  const loopback = createLoopbackApp({ ...deps, origin, exposed, pages })
  scheduler.start(tickMs)
  const settling = startLoop('closing the alerts that are over', log, async () => {
    await settleAlerts(database, clock.now())
    return settleMs
  })
  const alerting = startLoop('starting the jobs that wait for alerts', log, async () => {
    await openAlertRuns(database, house.settings.outbox.tell, wake)
    return alertMs
  })
  address = await listenOnLoopback(loopback, house.settings.ports.server, 'ports.server')
  await listenOnSocket(app, boot.sockets.server, 'owner')

  return {
    async stop(deadlineMs) {
      readiness.stopping()
      await scheduler.stop()
      stopping.abort()
      const drained = Promise.all([webhooks.close(), app.close(), loopback.close()])
      await Promise.race([drained, new Promise((resolve) => setTimeout(resolve, deadlineMs / 2).unref())])
      await Promise.all([settling.stop(), alerting.stop()])
      await reporter.close()
      await database.close()
    },
  }
}

async function takeSecrets(host: Host, names: readonly string[]): Promise<Taken> {
  const answer = (await host.request('secrets', names)) as { ok: boolean; data?: Taken; error?: { message: string } }
  if (!answer.ok) throw new Fault('unavailable', 'secrets.untaken', `${answer.error?.message ?? 'the processes could not be started anew'}; \`castellan down && castellan up\` gives them what is new`)
  return answer.data!
}

async function reload(host: Host): Promise<Reloaded> {
  const answer = (await host.request('reload')) as { ok: boolean; data?: Reloaded; error?: { message: string } }
  if (!answer.ok) throw new Fault('invalid', 'house.broken', answer.error?.message ?? 'the house could not be read again')
  return answer.data!
}
