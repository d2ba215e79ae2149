import { systemClock } from '../kernel/clock.ts'
import { connect } from '../kernel/database/connect.ts'
import { Fault } from '../kernel/fault.ts'
import { listenOnLoopback, listenOnSocket } from '../kernel/listen.ts'
import { createLogger } from '../kernel/log.ts'
import { createGateApp, createInFlight, createMetrics, openBatches, type GateDeps } from '../gate/index.ts'
import type { Traces } from '../gate/traces.ts'
import type { House } from '../house/index.ts'
import { createReporter, type Reporter } from '../health/index.ts'
import { asIsPolicyOf, createDictionary, createScanner, createTextRedactor, policyOf, type GateName, type Scanner } from '../labels/index.ts'
import { checkAsIs, createCallLedger, createCalls, createHandOn, declareModels, leftInConversation, observers, openMoney, openRouting, redactConversation, rememberSessions, type CallObserver } from '../models/index.ts'
import type { Boot, Host, Started } from './boot.ts'

const connections = 4
/** Milliseconds of a stop that are kept for closing ledger rows and connections. */
const closingMs = 1_000

/** Lets model calls through: `gate-local` to models near, `gate-cloud` to cloud models. */
export async function start(boot: Boot, host: Host): Promise<Started & { readonly address: string }> {
  const gate = gateOf(boot)
  const log = createLogger({ name: boot.process })
  const database = connect(boot.database, {
    application: boot.process,
    max: connections,
    byKey: true,
    onLost: (error) => log.warn({ err: error }, 'a connection to the database was lost'),
    onRefused: (code) => reporter.note('database.refused', boot.database.user, { code }),
  })
  const reporter: Reporter = createReporter({ database, clock: systemClock, log })
  let house = boot.house
  let models = declareModels(house.settings.models, gate, boot.secrets)
  let scanner = scannerFor(house)
  const ledger = createCallLedger({ database, gate, retentionMs: () => house.settings.retention.modelCallsMs })
  const inFlight = createInFlight()
  const routing = openRouting(() => house.settings.routing)
  const metrics = createMetrics(inFlight, routing.resting)
  const traces = await openTraces(gate, house, boot.secrets)
  const observer = observers([metrics, ...(traces ? [traces] : []), redirects((upstream, code) => reporter.note('outbound.unexpected', upstream, { code }))])
  const handOn = gate === 'local' && boot.sockets.gateCloud !== '' ? createHandOn({
    database, socketPath: boot.sockets.gateCloud, redaction: (lanes) => redactConversation(createTextRedactor(scanner), policyOf(lanes, house.lanes)), keepMs: () => house.settings.retention.modelCallsMs,
    isRoute: (task) => Object.hasOwn(house.settings.models.routes, task),
  }) : undefined
  const sessions = rememberSessions(database)
  const money = openMoney({
    database,
    spending: () => house.settings.spending,
    timezone: () => house.settings.timezone,
    onError: (error) => log.error({ err: error }, 'money that was reserved could not be given back; it counts as spent until the gate starts again'),
  })
  let address = ''
  const calls = createCalls({
    gate, database, sessions, ledger, money, log, observer, models: () => models, routing, handOn,
    leftIn: (conversation, lanes) => leftInConversation(conversation, scanner, policyOf(lanes, house.lanes)),
    checkAsIs: (texts, { lanes, level }) => checkAsIs(asIsPolicyOf(lanes, level, house.lanes), scanner, texts),
  })
  const batches = openBatches({ gate, database, sessions, calls, inFlight, log, clock: systemClock, settings: () => house.settings.batches, timezone: () => house.settings.timezone })
  const deps: GateDeps = {
    gate, database, log, sessions, calls, batches, clock: systemClock,
    models: () => models,
    resting: routing.resting,
    inFlight,
    metrics,
    address: () => address,
    onFault: (fault) => reporter.fault(fault, boot.process),
  }
  const tcp = createGateApp(deps, 'tcp')
  const socket = createGateApp(deps, 'socket')
  const close = async () => {
    await Promise.all([tcp.close(), socket.close()])
    await models.catalog.close()
    await reporter.close()
    await database.close()
    await traces?.close()
  }

  try {
    // nobody else writes this gate's rows, so what is open now was left by a process that died
    const { rows } = await database.pool.query<{ now: Date }>('select clock_timestamp() as now')
    const swept = await ledger.sweep(rows[0]!.now)
    if (swept > 0) log.warn({ calls: swept }, 'closed model calls that were left open')
    await money.recover()
    await routing.recall(database, gate)
    await batches.recover()
    const { ports } = house.settings
    const [port, setting] = gate === 'local' ? [ports.gateLocal, 'ports.gate_local'] : [ports.gateCloud, 'ports.gate_cloud']
    address = await listenOnLoopback(tcp, port, setting)
    await listenOnSocket(socket, gate === 'local' ? boot.sockets.gateLocal : boot.sockets.gateCloud, 'group')
  } catch (error) {
    await close()
    throw error
  }
  batches.wake()
  host.onHouse((changed: House) => {
    const before = { house, models }
    house = changed
    scanner = scannerFor(house)
    batches.houseChanged()
    if (JSON.stringify(changed.settings.models) === JSON.stringify(before.house.settings.models)) return
    models = declareModels(changed.settings.models, gate, boot.secrets)
    routing.forget()
    // calls that are being answered keep their connections until they are done
    void before.models.catalog.close()
  })
  log.info({ address, upstreams: models.catalog.destinations }, 'listening')

  return {
    address,
    async stop(deadlineMs) {
      const closed = Promise.all([tcp.close(), socket.close()])
      await batches.stop()
      await deps.inFlight.drain(Math.max(0, deadlineMs - closingMs))
      await batches.settled()
      await closed
      await models.catalog.close()
      await ledger.settled()
      await money.close()
      await reporter.close()
      await database.close()
      await traces?.close()
    },
  }
}

/** An upstream that sends a call elsewhere: nothing is sent there, but who answers at a declared address should not try. */
function redirects(onRedirect: (upstream: string, code: string) => void): CallObserver {
  return {
    begin: ({ candidate }) => ({
      chunk() {},
      end: ({ reason }) => void (reason === 'upstream.redirected' && onRedirect(candidate.upstream, reason)),
    }),
  }
}

/** One that remembers what it has scanned with this dictionary. */
function scannerFor({ dictionary }: House): Scanner {
  return createScanner({ dictionary: createDictionary(dictionary).find })
}

/** The exporter's libraries are loaded only by who has an exporter. Another one takes a restart. */
async function openTraces(gate: GateName, { settings }: House, secrets: Boot['secrets']): Promise<Traces | undefined> {
  const { traces } = settings.telemetry
  if (!traces) return undefined
  const { createTraces } = await import('../gate/traces.ts')
  return createTraces({ gate, settings: traces, authorization: traces.authorization && secrets[traces.authorization.secret] })
}

function gateOf(boot: Boot): GateName {
  if (boot.process === 'gate-local') return 'local'
  if (boot.process === 'gate-cloud') return 'cloud'
  throw new Fault('internal', 'boot.process', `${boot.process} is not a gate`)
}
