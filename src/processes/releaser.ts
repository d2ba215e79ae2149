import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { readHeadFile, sealAudit, verifyAudit, verifyAuditSince } from '../kernel/audit/index.ts'
import { systemClock } from '../kernel/clock.ts'
import { connect } from '../kernel/database/connect.ts'
import { toFault } from '../kernel/fault.ts'
import { listenOnSocket } from '../kernel/listen.ts'
import { createLogger } from '../kernel/log.ts'
import { createAuditWatch, createReporter, suspicionOf, type Reporter } from '../health/index.ts'
import type { House } from '../house/index.ts'
import type { OutboxDeps } from '../outbox/change.ts'
import { createClearanceConnector } from '../outbox/clearances/clearance-connector.ts'
import { createConnectors, openConnector, type Connectors } from '../outbox/connectors/connectors.ts'
import type { Connector } from '../outbox/connectors/connector.ts'
import { createOutboxConnector } from '../outbox/fence/resume.ts'
import { fileSentCopies } from '../outbox/file-sent-copies.ts'
import { freezeProposals } from '../outbox/freeze-proposal.ts'
import { openOperatorKeys } from '../outbox/operator-keys.ts'
import { recoverDrafts } from '../outbox/recover-drafts.ts'
import { createOrderConnector } from '../outbox/orders/order-connector.ts'
import { outboxRoutes } from '../outbox/routes.ts'
import { nextSentCopy } from '../outbox/sent-copy-store.ts'
import { openSpentNonces } from '../outbox/spent-nonces.ts'
import { bareApp } from '../server/bare-app.ts'
import { auditRoutes } from './audit-routes.ts'
import type { Boot, Host, Started } from './boot.ts'
import { clearanceRoutes } from './clearance-routes.ts'
import { clientKeyRoutes } from './client-key-routes.ts'
import { connectorRoutes } from './connector-routes.ts'
import { startLoop, type Loop } from './loop.ts'
import { createMailboxes, type Mailboxes } from './mailboxes.ts'
import { becomeOnlyReleaser } from './only-releaser.ts'
import { orderRoutes } from './order-routes.ts'
import { createReleasing } from './releasing.ts'
import { reportRefused, watchSealing } from './report-refused.ts'
import { sealingKeySecret } from './read-secrets.ts'
import { openSealingKey, type SealingKey } from './sealing-key.ts'
import { createSigningPage, type SigningPage } from './signing-page.ts'

/** How long each part waits without being woken, in milliseconds. */
const pause = { freeze: 1_500, seal: 1_000, copy: { usual: 15_000, retry: 1_000 } }

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
  const database = connect(boot.database, {
    application: boot.process, max: 6, onLost: (error) => log.warn({ err: error }, 'a connection to the database was lost'),
    onRefused: (code) => reporter.note('database.refused', boot.database.user, { code }),
  })
  closing.push(database.close)
  const reporter: Reporter = createReporter({ database, clock: systemClock, log })
  closing.push(reporter.close)
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
    openSealingKey(boot.folder, boot.secrets[sealingKeySecret]),
  ])

  const outbox: OutboxDeps = {
    database, spent, log, clock: systemClock, keys: openOperatorKeys(boot.folder),
    settings: () => house.settings.outbox,
    site: signing.site,
    onChanged: signing.onChanged,
    connectors: () => connectors,
    onRefused: reportRefused(reporter, (name) => connectors.find(name) !== undefined),
    onEnqueued: (name) => host.wake(name === 'runs_open' ? 'worker-open' : 'worker-private'),
  }
  const mailboxes = createMailboxes({
    database, log, clock: systemClock, secrets: boot.secrets, demonstration: boot.isolation.mode === 'demonstration', onError: dieWhenReplaced,
  })
  closing.push(mailboxes.close)
  const inside = [
    createClearanceConnector(database, systemClock.now),
    createOutboxConnector(database, systemClock.now),
    createOrderConnector(database, systemClock.now, () => ({ findConnector: (name) => connectors.find(name), declared: house.settings.outbox.connectors, timezone: house.settings.timezone })),
  ]
  let connectors: Connectors = connectorsOf(house, boot, mailboxes, inside)
  await recoverDrafts(outbox)

  const sealing = watchSealing(reporter)
  const seal = () => sealAudit({ database, keyId: sealingKey.id, sign: sealingKey.sign, headFile: headFileOf(boot) })
  closing.push(() => seal().catch((error: unknown) => log.warn({ err: error }, 'the last events stay unsealed')))
  const loop = (name: string, work: () => Promise<number>): Loop => {
    const started = startLoop(name, log, work, dieWhenReplaced)
    closing.push(started.stop)
    return started
  }
  const filing = loop('filing copies of what was sent', createFiling(outbox, stopping.signal))
  const onReleased = () => {
    releasing.wake()
    filing.wake()
  }
  const releases = createReleasing(outbox, { signal: stopping.signal, onReleased, onError: dieWhenReplaced })
  closing.push(releases.settled)
  const releasing = loop('releasing drafts', releases.round)
  const freezing = loop('freezing proposals', async () => {
    const { frozen, more } = await freezeProposals(outbox)
    if (frozen > 0) releasing.wake() // an earlier deadline may have come
    return more ? 0 : pause.freeze
  })
  loop('sealing the audit', async () => {
    await sealing(seal)
    return pause.seal
  })
  loop('verifying the audit', createAuditWatch({
    clock: systemClock, reporter,
    verify: (since) => verifyAuditSince({ database, keys: new Map([[sealingKey.id, sealingKey.publicKey]]), known: readHeadFile(headFileOf(boot)) }, since),
  }))
  const declareMailboxes = ({ settings }: House) => mailboxes.declare(settings.mail.accounts, settings.isolation.acceptDemonstration)
  declareMailboxes(house)

  const onChange = releasing.wake
  const app = createReleaserApp({ outbox, house: () => house, sealingKey, boot, signing, onChange, dieWhenReplaced, mailboxes, reporter })
  closing.push(() => app.close())
  await listenOnSocket(app, boot.sockets.releaser, 'owner')

  closing.push(await signing.open(outbox, {
    onChange,
    onError: (error) => {
      // what else fails there is told by who refused it
      if (suspicionOf(error) === 'page.stranger') reporter.fault(error, 'signing page')
      dieWhenReplaced(error)
    },
    onFailedTry: (code) => reporter.note('signin.failed', 'signing page', { code }),
  }))
  closing.push(() => stopping.abort())

  host.onWake(freezing.wake)
  host.onHouse((changed) => {
    house = changed
    declareMailboxes(house)
    connectors = connectorsOf(house, boot, mailboxes, inside)
  })
  log.info({ spent: spent.count }, 'keeping the outbox')
}

/** Apart from the releases: a mailbox that does not answer keeps nothing from leaving. */
function createFiling(outbox: OutboxDeps, signal: AbortSignal): () => Promise<number> {
  return async () => {
    await fileSentCopies(outbox, signal)
    const next = await nextSentCopy(outbox.database.pool)
    return next === undefined ? pause.copy.usual : Math.min(pause.copy.usual, Math.max(pause.copy.retry, next.getTime() - outbox.clock.now().getTime()))
  }
}

function connectorsOf({ settings }: House, { isolation, secrets, folder }: Boot, { entranceOf }: Mailboxes, inside: readonly Connector[]): Connectors {
  return createConnectors(settings.outbox.connectors.map((connector) => openConnector(connector, { secrets, entranceOf, folder })), {
    demonstration: isolation.mode === 'demonstration', accepted: settings.isolation.acceptDemonstration,
  }, inside)
}

/** As `Promise.all`, but waits for those that still open when one has failed, so that they can be closed. */
async function allOrNone<T extends readonly unknown[]>(openings: { [K in keyof T]: Promise<T[K]> }): Promise<T> {
  await Promise.allSettled(openings)
  return (await Promise.all(openings)) as unknown as T
}

interface ReleaserApp {
  readonly outbox: OutboxDeps
  readonly house: () => House
  readonly sealingKey: SealingKey
  readonly boot: Boot
  readonly signing: SigningPage
  readonly onChange: () => void
  readonly dieWhenReplaced: (error: unknown) => void
  readonly mailboxes: Mailboxes
  readonly reporter: Reporter
}

function createReleaserApp({ outbox, house, sealingKey, boot, signing, onChange, dieWhenReplaced, mailboxes, reporter }: ReleaserApp): FastifyInstance {
  const app = bareApp(outbox.log)
  app.addHook('onError', async (_request, _reply, error) => dieWhenReplaced(error))
  outboxRoutes(app, { ...outbox, onChange })
  signing.socketRoutes(app)
  auditRoutes(app, {
    database: outbox.database,
    verify: () => verifyAudit({ database: outbox.database, keys: new Map([[sealingKey.id, sealingKey.publicKey]]), known: readHeadFile(headFileOf(boot)) }),
  })
  connectorRoutes(app, outbox)
  clientKeyRoutes(app, outbox)
  clearanceRoutes(app, { outbox, house, onChange })
  orderRoutes(app, { outbox, onChange })
  app.post('/operator/wrong-passphrase', async () => {
    reporter.note('signin.failed', 'operator passphrase', { code: 'identity.passphrase' })
    return { ok: true, data: { state: 'counted' } }
  })
  app.get('/mailboxes', async () => ({ ok: true, data: mailboxes.statuses() }))
  app.get('/mailboxes/problems', async () => ({ ok: true, data: mailboxes.problems() }))
  return app
}

function headFileOf(boot: Boot): string {
  return join(boot.folder, 'audit-head.json')
}
