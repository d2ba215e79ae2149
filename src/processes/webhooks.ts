import { systemClock } from '../kernel/clock.ts'
import { connect, type Database } from '../kernel/database/connect.ts'
import { listenOnLoopback } from '../kernel/listen.ts'
import type { Logger } from '../kernel/log.ts'
import type { House } from '../house/index.ts'
import { openEventRuns } from '../jobs/index.ts'
import type { QueueName } from '../runs/index.ts'
import type { WebhookListener } from '../server/index.ts'
import { createTally } from '../webhooks/tally.ts'
import { createWebhookApp } from '../webhooks/routes.ts'
import { secretProblems } from '../webhooks/secret.ts'
import type { Boot } from './boot.ts'
import { startLoop } from './loop.ts'

export interface WebhooksDeps {
  /** As the server, who opens runs and reads no event. */
  readonly database: Database
  readonly log: Logger
  house(): House
  wake(queue: QueueName): void
  onForged(webhook: string, reason: string): void
  /** The database refused the listener something. */
  onRefused(role: string, code: string): void
}

export interface Webhooks extends WebhookListener {
  close(): Promise<void>
}

/** How long an event waits for its run when the hint that it came got lost. */
const lookMs = 5_000

/** Listens for webhooks, with a role and a port of their own, where one is declared; and opens the runs of what came in, whoever stored it. */
export async function openWebhooks(boot: Boot, { database, log, house, wake, onForged, onRefused }: WebhooksDeps): Promise<Webhooks> {
  const opening = startLoop('opening the runs of events', log, async () => {
    await openEventRuns(database, wake)
    return lookMs
  })
  const port = boot.house.settings.ports.webhooks
  const listening = boot.listener === undefined || port === null ? undefined : await listen(boot.listener, port)

  async function listen(connection: NonNullable<Boot['listener']>, wanted: number) {
    const role = connect(connection, {
      application: 'listener', max: 4, onLost: (error) => log.warn({ err: error }, 'the listener lost a connection to the database'),
      onRefused: (code) => onRefused(connection.user, code),
    })
    const tally = createTally({ database: role, clock: systemClock, log, onForged })
    const app = createWebhookApp({
      database: role, clock: systemClock, log, tally, secrets: boot.secrets, webhooks: () => house().settings.webhooks, onStored: opening.wake,
    })
    const address = await listenOnLoopback(app, wanted, 'ports.webhooks')
    return {
      port: Number(new URL(address).port),
      close: async () => {
        await app.close()
        await tally.close()
        await role.close()
      },
    }
  }

  return {
    port: listening?.port ?? null,
    problemsOf: (webhook) => secretProblems(webhook, boot.secrets),
    async close() {
      await listening?.close()
      await opening.stop()
    },
  }
}
