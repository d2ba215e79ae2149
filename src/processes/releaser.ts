import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { readHeadFile, sealAudit, verifyAudit } from '../kernel/audit/index.ts'
import { systemClock } from '../kernel/clock.ts'
import { connect, type Database } from '../kernel/database/connect.ts'
import { toFault } from '../kernel/fault.ts'
import { listenOnSocket } from '../kernel/listen.ts'
import { createLogger, type Logger } from '../kernel/log.ts'
import { createFolderMailbox, type FolderMailbox, type MailboxProblem } from '../channels/index.ts'
import type { House } from '../house/index.ts'
import type { OutboxDeps } from '../outbox/change.ts'
import { createConnectors, openConnector, type Connectors } from '../outbox/connectors/connectors.ts'
import { freezeProposals } from '../outbox/freeze-proposal.ts'
import { openOperatorKeys } from '../outbox/operator-keys.ts'
import { recoverDrafts } from '../outbox/recover-drafts.ts'
import { outboxRoutes } from '../outbox/routes.ts'
import { openSpentNonces } from '../outbox/spent-nonces.ts'
import { bareApp } from '../server/bare-app.ts'
import { auditRoutes } from './audit-routes.ts'
import type { Boot, Host, Started } from './boot.ts'
import { startLoop, type Loop } from './loop.ts'
import { becomeOnlyReleaser } from './only-releaser.ts'
import { createReleasing } from './releasing.ts'
import { openSealingKey, type SealingKey } from './sealing-key.ts'
import { createSigningPage, type SigningPage } from './signing-page.ts'

/** How long each part waits without being woken, in milliseconds. */
const pause = { freeze: 1_500, seal: 1_000, mail: 3_000 }

/** Freezes what workers propose, takes the operator's decisions on its own socket, releases what was signed, stores mail, seals the audit. */
export async function start(boot: Boot, host: Host): Promise<Started> {
  const closing: (() => unknown)[] = []
  const close = async () => {
    for (const one of closing.splice(0).reverse()) await one()
  }
  try {
    await open(boot, host, closing)
  } catch (error) {
    await close()
    throw error
  }
  return { stop: close }
}

/** Everything that is opened puts how it is closed on `closing`; the last is closed first. */
async function open(boot: Boot, host: Host, closing: (() => unknown)[]): Promise<void> {
  const log = createLogger({ name: boot.process })
  const database = connect(boot.database, { application: boot.process, max: 6, onLost: (error) => log.warn({ err: error }, 'a connection to the database was lost') })
  closing.push(database.close)
  let house = boot.house
  const signing = createSigningPage(() => house)
  const stopping = new AbortController()

  /** Going on could release twice: this process ends, and `up` starts another that looks first. */
  const die = (error: unknown) => {
    if (stopping.signal.aborted) return
    log.fatal({ err: error }, 'this releaser must not go on; it ends')
    process.exit(1)
  }
  const dieWhenReplaced = (error: unknown) => {
    if (toFault(error).code === 'releaser.replaced') die(error)
  }
  const keep = async <T>(opening: Promise<T>, close: (opened: T) => unknown): Promise<T> => {
    const opened = await opening
    closing.push(() => close(opened))
    return opened
  }
  const [, spent, sealingKey] = await allOrNone([
    keep(becomeOnlyReleaser(database, die), (leave) => leave()),
    keep(openSpentNonces(boot.folder), (file) => file.close()),
    openSealingKey(boot.folder),
  ])

  const outbox: OutboxDeps = {
    database, spent, log, clock: systemClock, keys: openOperatorKeys(boot.folder),
    settings: () => house.settings.outbox,
    site: signing.site,
    onChanged: signing.onChanged,
    connectors: () => connectors,
    onEnqueued: (name) => host.wake(name === 'runs_open' ? 'worker-open' : 'worker-private'),
  }
  let connectors = connectorsOf(house, boot)
  let mailboxes = mailboxesOf(house, database, log)
  await recoverDrafts(outbox)

  const seal = () => sealAudit({ database, keyId: sealingKey.id, sign: sealingKey.sign, headFile: headFileOf(boot) })
  closing.push(() => seal().catch((error: unknown) => log.warn({ err: error }, 'the last events stay unsealed')))
  const loop = (name: string, work: () => Promise<number>): Loop => {
    const started = startLoop(name, log, work, dieWhenReplaced)
    closing.push(started.stop)
    return started
  }
  const releases = createReleasing(outbox, { signal: stopping.signal, onReleased: () => releasing.wake(), onError: dieWhenReplaced })
  closing.push(releases.settled)
  const releasing = loop('releasing drafts', releases.round)
  const freezing = loop('freezing proposals', async () => {
    const { frozen, more } = await freezeProposals(outbox)
    if (frozen > 0) releasing.wake() // an earlier deadline may have come
    return more ? 0 : pause.freeze
  })
  loop('sealing the audit', async () => {
    await seal()
    return pause.seal
  })
  const fetching = loop('storing mail', async () => {
    for (const mailbox of mailboxes) await mailbox.scan()
    return pause.mail
  })

  const onChange = releasing.wake
  const app = createReleaserApp({ outbox, sealingKey, boot, signing, onChange, dieWhenReplaced, problems: () => mailboxes.flatMap((mailbox) => mailbox.problems()) })
  closing.push(() => app.close())
  await listenOnSocket(app, boot.sockets.releaser, 'owner')

  closing.push(await signing.open(outbox, { onChange, onError: dieWhenReplaced }))
  closing.push(() => stopping.abort())

  host.onWake(freezing.wake)
  host.onHouse((changed) => {
    house = changed
    connectors = connectorsOf(house, boot)
    mailboxes = mailboxesOf(house, database, log)
    fetching.wake()
  })
  log.info({ spent: spent.count }, 'keeping the outbox')
}

function connectorsOf({ settings }: House, { isolation }: Boot): Connectors {
  return createConnectors(settings.outbox.connectors.map(openConnector), {
    demonstration: isolation.mode === 'demonstration', accepted: settings.isolation.acceptDemonstration,
  })
}

/** As `Promise.all`, but waits for those that still open when one has failed, so that they can be closed. */
async function allOrNone<T extends readonly unknown[]>(openings: { [K in keyof T]: Promise<T[K]> }): Promise<T> {
  await Promise.allSettled(openings)
  return (await Promise.all(openings)) as unknown as T
}

interface ReleaserApp {
  readonly outbox: OutboxDeps
  readonly sealingKey: SealingKey
  readonly boot: Boot
  readonly signing: SigningPage
  readonly onChange: () => void
  readonly dieWhenReplaced: (error: unknown) => void
  readonly problems: () => readonly MailboxProblem[]
}

function createReleaserApp({ outbox, sealingKey, boot, signing, onChange, dieWhenReplaced, problems }: ReleaserApp): FastifyInstance {
  const app = bareApp(outbox.log)
  app.addHook('onError', async (_request, _reply, error) => dieWhenReplaced(error))
  outboxRoutes(app, { ...outbox, onChange })
  signing.socketRoutes(app)
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

function mailboxesOf({ settings }: House, database: Database, log: Logger): FolderMailbox[] {
  return settings.mail.accounts.map((account) => createFolderMailbox({ database, log, clock: systemClock }, account))
}
