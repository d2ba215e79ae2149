import { existsSync } from 'node:fs'
import { join } from 'node:path'
import packageJson from '../../package.json' with { type: 'json' }
import { asTyped } from '../kernel/as-typed.ts'
import { systemClock } from '../kernel/clock.ts'
import { toFault } from '../kernel/fault.ts'
import { createLogger, type Logger } from '../kernel/log.ts'
import { sweepRetention } from '../kernel/retention/sweep-retention.ts'
import { initHouse, type DatabaseSettings, type RetentionSettings } from '../house/index.ts'
import { declareHouse, lastGoodHouse, recordProblems } from '../jobs/index.ts'
import { withoutCoreDumps } from '../secrets/index.ts'
import type { Isolation, ProcessName } from './boot.ts'
import { processNames } from './boot.ts'
import { ensureDemonstrationKey } from './demonstration-key.ts'
import { AttachedProcess } from './attached-process.ts'
import { prepareDoor, prepareHome, prepareRuntime, requireReachable } from './folders.ts'
import { grantHouseFolders } from './house-folders.ts'
import { chooseLauncher, unitLauncher, type Launcher } from './isolation.ts'
import { joinDatabase } from './join-database.ts'
import { keepDatabase, type KeptDatabase } from './keep-database.ts'
import { lockHome } from './lock-home.ts'
import { startLoop } from './loop.ts'
import { attachedSpec, entry, houseFor, isWanted, processSpec } from './process-specs.ts'
import { credential, readSecret } from './read-secrets.ts'
import { forgetOldSecrets, recordSecretActs } from './record-secret-acts.ts'
import { forgetProcesses, recordProcess, recordSupervisor } from './supervision-store.ts'
import { defaultLimits, SupervisedProcess, type Supervised, type SupervisionLimits } from './supervise.ts'
import { prepareCompileCache } from './compile-cache.ts'
import { connectProcesses, stopProcesses } from './process-group.ts'
import { takeSecrets } from './take-secrets.ts'
import { watchHouse } from './watch-house.ts'
import { chooseHouse, houseFolder, readHouse, type ChosenHouse } from './up-house.ts'
import { clearUpState, writeUpState } from './up-state.ts'

export interface UpOptions {
  readonly home: string
  /** The operator's folder; `house` in the home unless said otherwise. */
  readonly house?: string
  readonly limits?: SupervisionLimits
  /** Each process is a unit of its own, which comes to its door; `up` starts none. */
  readonly units?: boolean
  /** For tests: where processes die, asked at each start of one; see kernel/fault-point.ts. */
  readonly faultPoints?: () => string | undefined
  /** Awaited before a migration of a database that holds data. */
  readonly beforeMigration?: () => Promise<void>
  /** Hears what happens during the start, one line each. */
  readonly onProgress?: (line: string) => void
}

export interface Up {
  readonly isolation: Isolation
  readonly processes: ReadonlyMap<ProcessName, Supervised>
  house(): ChosenHouse
  databasePid(): number | undefined
  /** Reads the house again; a broken one changes nothing, and its problems come back. */
  reload(): Promise<ChosenHouse>
  /** Resolves when every process is ready or has been given up. */
  readonly settled: Promise<void>
  stop(): Promise<void>
}

/** The first sweep leaves the start its time. */
const sweepMs = { first: 300_000, next: 3_600_000 }

/** Starts the house and keeps it running until `stop`. @throws Fault for everything that makes a start impossible, having undone what it began */
export async function up(options: UpOptions): Promise<Up> {
  const { home } = options
  withoutCoreDumps()
  const launcher = options.units ? unitLauncher() : chooseLauncher(home)
  if (launcher.accounts) {
    requireReachable(entry, 'the source of Castellan', 'move it to a folder that other users can enter, e.g. /opt/castellan')
    requireReachable(process.execPath, 'its Node.js', 'move it to a folder that other users can enter')
  }
  prepareHome(home, launcher.accounts)
  const undo: (() => unknown)[] = [lockHome(home)]
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step()
  }
  try {
    return await start(options, launcher, undo, stop)
  } catch (error) {
    await stop()
    throw toFault(error)
  }
}

async function start(
  options: UpOptions,
  launcher: Launcher,
  undo: (() => unknown)[],
  stop: () => Promise<void>,
): Promise<Up> {
  const { home, onProgress = () => {} } = options
  const { accounts, isolation } = launcher
  const log = createLogger({ name: 'up', destination: join(home, 'log', 'up.log') })
  const runtime = prepareRuntime(home, accounts)
  const folder = houseFolder(home, options.house)
  if (!existsSync(folder)) {
    onProgress(`making a starter house in ${folder}`)
    await initHouse(folder)
  }
  const compiled = prepareCompileCache(home, accounts?.values())
  const read = await readHouse(folder, home)
  onProgress('starting PostgreSQL')
  const database = await openDatabase(read.house?.settings.database)
  undo.push(() => database.stop())

  let chosen = chooseHouse(read, await lastGoodHouse(database.owner))
  async function adopt(): Promise<void> {
    if (chosen.fresh) await declareHouse({ database: database.owner, clock: systemClock }, chosen.house, chosen.jobs)
    await recordProblems(database.owner, chosen.problems)
    if (accounts) grantHouseFolders(chosen.house, accounts)
  }
  await adopt()

  onProgress('starting the processes')
  const startedAt = systemClock.now()
  await recordSupervisor(database.owner, { version: packageJson.version, house: folder, isolation, startedAt })
  const deps = {
    home, launcher, key: runtime.key, sockets: runtime.sockets,
    connectionOf: database.connectionOf,
    listener: database.listener,
    house: () => chosen.house,
    ...(options.faultPoints && { faultPoints: options.faultPoints }),
  }
  const supervise = (name: ProcessName): Supervised =>
    options.units
      ? new AttachedProcess(attachedSpec(name, prepareDoor(runtime.folder, name, accounts!.get(name)!), deps), log)
      : new SupervisedProcess(processSpec(name, deps), options.limits ?? defaultLimits, log)
  const processes = new Map(processNames.filter((name) => isWanted(name, chosen.house)).map((name) => [name, supervise(name)]))
  await forgetProcesses(database.owner, [...processes.keys()])
  undo.push(() => stopProcesses(processes))
  async function reload(): Promise<ChosenHouse> {
    chosen = chooseHouse(await readHouse(folder, home), chosen.house)
    await adopt()
    if (chosen.fresh) for (const [name, child] of processes) child.send({ type: 'house', house: houseFor(name, chosen.house) })
    return chosen
  }
  const ready = connectProcesses(processes, {
    log,
    reload: async () => {
      const { fresh, house, problems } = await reload()
      return { fresh, digest: house.digest, problems }
    },
    takeSecrets: (names, answer) => takeSecrets(names, { home, processes, house: () => chosen.house, units: options.units }, answer),
    record: (state) => recordProcess(database.owner, state, accounts?.get(state.name)?.uid, isolation),
  })
  undo.push(watchHouse({ database, processes, isolation, log }))
  await compiled
  for (const child of processes.values()) child.start()
  undo.push(keepSweeping(database, home, options.units === true, () => chosen.house.settings.retention, log))
  writeUpState(home, {
    pid: process.pid, startedAt: startedAt.toISOString(), version: packageJson.version, house: folder, timezone: chosen.house.settings.timezone, isolation,
    sockets: { server: runtime.sockets.server, releaser: runtime.sockets.releaser },
    ports: { ...chosen.house.settings.ports },
  })
  undo.push(() => clearUpState(home))

  const settled = ready.then(async () => {
    // as a unit `up` sees no secret: the next `castellan secrets` of the operator does both
    if (!options.units) await recordSecretActs(home, runtime.sockets.server).catch((error: unknown) => log.warn({ err: error }, 'what was done with secrets is not in the audit yet'))
    const made = await ensureDemonstrationKey(home, runtime.sockets.releaser)
    if (made) onProgress(asTyped('made a demonstration key: it signs for files only; `castellan operator init` makes yours', process.env))
  })
  return { isolation, processes, house: () => chosen, databasePid: database.pid, reload, settled, stop }

  function openDatabase(settings: DatabaseSettings | undefined): Promise<KeptDatabase> {
    const common = { socketFolder: runtime.database, log, ...(options.beforeMigration && { beforeMigration: options.beforeMigration }) }
    if (settings?.kind === 'urls') return joinDatabase({ ...common, settings, secret: (name) => ownSecret(home, name, options.units === true) })
    return keepDatabase({ ...common, home, account: accounts?.get('database') })
  }
}

/** As a unit `up` cannot look into the folder of secrets, and is given its own. */
function ownSecret(home: string, name: string, unit: boolean): string | undefined {
  return unit ? credential(process.env.CREDENTIALS_DIRECTORY, name) : readSecret(home, name)
}

/** Sweeps what was kept long enough, by the settings of the house as it is then. A stop waits for no sweep: the next start finishes it. */
function keepSweeping({ owner }: KeptDatabase, home: string, units: boolean, retention: () => RetentionSettings, log: Logger): () => void {
  let begun = false
  const loop = startLoop('the retention sweep', log, async () => {
    if (!begun) {
      begun = true
      return sweepMs.first
    }
    if (!units) await forgetOldSecrets(home).catch((error: unknown) => log.warn({ err: error }, 'values before of secrets are not forgotten yet'))
    const swept = await sweepRetention(owner, { retention: retention() })
    if (Object.values(swept).some((count) => count > 0)) log.info(swept, 'swept what was kept long enough')
    return sweepMs.next
  })
  return () => void loop.stop()
}
