import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { readHeadFile, sealAudit, verifyAudit } from '../kernel/audit/index.ts'
import { systemClock } from '../kernel/clock.ts'
import { connect, type Database } from '../kernel/database/connect.ts'
import { toFault } from '../kernel/fault.ts'
import { createLogger, type Logger } from '../kernel/log.ts'
import { createFolderMailbox, type FolderMailbox, type MailboxProblem } from '../channels/index.ts'
import type { House } from '../house/index.ts'
import { createQueue } from '../jobs/index.ts'
import type { OutboxDeps } from '../outbox/change.ts'
import { createConnectors, openConnector } from '../outbox/connectors/connectors.ts'
import { nextMoment } from '../outbox/draft-store.ts'
import { expireDrafts, wakeForgottenRuns } from '../outbox/expire-drafts.ts'
import { freezeProposals } from '../outbox/freeze-proposal.ts'
import { openOperatorKeys } from '../outbox/operator-keys.ts'
import { recoverDrafts } from '../outbox/recover-drafts.ts'
import { releaseDrafts } from '../outbox/release-drafts.ts'
import { outboxRoutes } from '../outbox/routes.ts'
import { openSpentNonces } from '../outbox/spent-nonces.ts'
import type { QueueName } from '../runs/index.ts'
import { bareApp } from '../server/bare-app.ts'
import { listenOnSocket } from '../server/listen-on-socket.ts'
import { auditRoutes } from './audit-routes.ts'
import type { Boot, Host, Started } from './boot.ts'
import { startLoop } from './loop.ts'
import { becomeOnlyReleaser } from './only-releaser.ts'
import { openSealingKey, type SealingKey } from './sealing-key.ts'

/** How long each part waits without being woken, in milliseconds. */
const pause = { freeze: 1_500, release: 15_000, seal: 1_000, mail: 3_000 }

/** Freezes what workers propose, takes the operator's decisions on its own socket, releases what was signed, stores mail, seals the audit. */
export async function start(boot: Boot, host: Host): Promise<Started> {
  const log = createLogger({ name: boot.process })
  const database = connect(boot.database, { application: boot.process, max: 6, onLost: (error) => log.warn({ err: error }, 'a connection to the database was lost') })
  const stopping = new AbortController()
  let house = boot.house

  /** Going on could release twice: this process ends, and `up` starts another that looks first. */
  const die = (error: unknown) => {
    if (stopping.signal.aborted) return
    log.fatal({ err: error }, 'this releaser must not go on; it ends')
    process.exit(1)
  }
  const dieWhenReplaced = (error: unknown) => {
    if (toFault(error).code === 'releaser.replaced') die(error)
  }

  const [leave, spent, sealingKey, queue] = await Promise.all([
    becomeOnlyReleaser(database, die),
    openSpentNonces(boot.folder),
    openSealingKey(boot.folder),
    createQueue(database.pool),
  ])
  const outbox: OutboxDeps = {
    database, spent, log, clock: systemClock, keys: openOperatorKeys(boot.folder),
    settings: () => house.settings.outbox,
    connectors: () => connectors,
    wakeRun: (client, name, run) => queue.enqueue(client, [{ run, queue: name as QueueName }]),
    onEnqueued: (name) => host.wake(name === 'runs_open' ? 'worker-open' : 'worker-private'),
  }
  const openConnectors = () => createConnectors(house.settings.outbox.connectors.map(openConnector), {
    demonstration: boot.isolation.mode === 'demonstration', accepted: house.settings.isolation.acceptDemonstration,
  })
  let connectors = openConnectors()
  let mailboxes = openMailboxes(database, log, house)

  await recoverDrafts(outbox)
  let astray = false
  const freezing = startLoop('freezing proposals', log, async () => {
    const { frozen, more } = await freezeProposals(outbox)
    if (frozen > 0) releasing.wake() // an earlier deadline may have come
    return more ? 0 : pause.freeze
  })
  const releasing = startLoop('releasing drafts', log, async () => {
    if (astray) await recoverDrafts(outbox)
    await expireDrafts(outbox)
    const outcome = await releaseDrafts(outbox, stopping.signal)
    astray = outcome.astray
    await wakeForgottenRuns(outbox)
    const next = await nextMoment(database.pool)
    const wait = next === undefined ? pause.release : next.getTime() - systemClock.now().getTime()
    // what is due and did not leave is tried again in a second
    return Math.min(pause.release, Math.max(wait, outcome.released > 0 ? 0 : astray || wait < 0 ? 1_000 : 0))
  }, dieWhenReplaced)
  const sealing = startLoop('sealing the audit', log, async () => {
    await sealAudit({ database, keyId: sealingKey.id, sign: sealingKey.sign, headFile: headFileOf(boot) })
    return pause.seal
  })
  const fetching = startLoop('storing mail', log, async () => {
    for (const mailbox of mailboxes) await mailbox.scan()
    return pause.mail
  })

  host.onWake(freezing.wake)
  host.onHouse((changed) => {
    house = changed
    connectors = openConnectors()
    mailboxes = openMailboxes(database, log, house)
    fetching.wake()
  })

  const app = createReleaserApp({ outbox, sealingKey, boot, onChange: releasing.wake, dieWhenReplaced, problems: () => mailboxes.flatMap((mailbox) => mailbox.problems()) })
  await listenOnSocket(app, boot.sockets.releaser)
  log.info({ keys: (await outbox.keys.list()).length, spent: spent.count }, 'keeping the outbox')

  return {
    async stop() {
      stopping.abort()
      await Promise.all([app.close(), freezing.stop(), releasing.stop(), fetching.stop(), sealing.stop()])
      await sealAudit({ database, keyId: sealingKey.id, sign: sealingKey.sign, headFile: headFileOf(boot) }).catch((error: unknown) => log.warn({ err: error }, 'the last events stay unsealed'))
      await spent.close()
      leave()
      await queue.close()
      await database.close()
    },
  }
}

interface ReleaserApp {
  readonly outbox: OutboxDeps
  readonly sealingKey: SealingKey
  readonly boot: Boot
  readonly onChange: () => void
  readonly dieWhenReplaced: (error: unknown) => void
  readonly problems: () => readonly MailboxProblem[]
}

function createReleaserApp({ outbox, sealingKey, boot, onChange, dieWhenReplaced, problems }: ReleaserApp): FastifyInstance {
  const app = bareApp(outbox.log)
  app.addHook('onError', async (_request, _reply, error) => dieWhenReplaced(error))
  outboxRoutes(app, { ...outbox, onChange })
  auditRoutes(app, {
    database: outbox.database,
    verify: () => verifyAudit({ database: outbox.database, keys: new Map([[sealingKey.id, sealingKey.publicKey]]), known: readHeadFile(headFileOf(boot)) }),
  })
  app.get('/mailboxes/problems', async () => ({ ok: true, data: problems() }))
  return app
}

function headFileOf(boot: Boot): string {
  return join(boot.folder, 'audit-head.json')
}

function openMailboxes(database: Database, log: Logger, house: House): FolderMailbox[] {
  return house.settings.mail.accounts.map((account) => createFolderMailbox({ database, log, clock: systemClock }, account))
}
