import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import packageJson from '../../package.json' with { type: 'json' }
import { systemClock } from '../kernel/clock.ts'
import { toFault } from '../kernel/fault.ts'
import { createLogger, type Logger } from '../kernel/log.ts'
import { sweepRetention } from '../kernel/retention.ts'
import { initHouse, type DatabaseSettings } from '../house/index.ts'
import { declareHouse, lastGoodHouse, recordProblems } from '../jobs/index.ts'
import { processNames, type Boot, type ProcessName } from './boot.ts'
import { ensureDemonstrationKey } from './demonstration-key.ts'
import { prepareHome, prepareRuntime, requireReachable } from './folders.ts'
import { grantHouseFolders } from './house-folders.ts'
import { chooseLauncher } from './isolation.ts'
import { joinDatabase } from './join-database.ts'
import { keepDatabase, type KeptDatabase } from './keep-database.ts'
import { lockHome } from './lock-home.ts'
import { readSecret, secretsOf } from './read-secrets.ts'
import { recordProcess, recordSupervisor } from './supervision-store.ts'
import { defaultLimits, SupervisedProcess, type SupervisionLimits } from './supervise.ts'
import { chooseHouse, houseFolder, readHouse, type ChosenHouse } from './up-house.ts'
import { clearUpState, writeUpState } from './up-state.ts'

export interface UpOptions {
  readonly home: string
  /** The operator's folder; `house` in the home unless said otherwise. */
  readonly house?: string
  readonly limits?: SupervisionLimits
  /** For tests: where processes die, see kernel/fault-point.ts. */
  readonly faultPoints?: string
  /** Awaited before a migration of a database that holds data. */
  readonly beforeMigration?: () => Promise<void>
  /** Hears what happens during the start, one line each. */
  readonly onProgress?: (line: string) => void
}

export interface Up {
  readonly house: ChosenHouse
  readonly isolation: { mode: string; detail: string }
  readonly processes: ReadonlyMap<ProcessName, SupervisedProcess>
  databasePid(): number | undefined
  /** Loads the house again; a broken one changes nothing, and its problems come back. */
  reload(): Promise<{ fresh: boolean; digest: string; problems: ChosenHouse['problems'] }>
  /** Resolves when every process is ready or has been given up. */
  settled: Promise<void>
  stop(): Promise<void>
}

const retentionMs = 3_600_000
const stopOrder: readonly (readonly ProcessName[])[] = [['server'], ['worker-open', 'worker-private'], ['gate-local', 'gate-cloud'], ['releaser']]
const source = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** Starts the house and keeps it running until `stop`. @throws Fault for everything that makes a start impossible, having undone what it began */
export async function up(options: UpOptions): Promise<Up> {
  const { home, onProgress = () => {} } = options
  const launcher = chooseLauncher(home)
  const { accounts } = launcher
  if (accounts) {
    requireReachable(join(source, 'src', 'processes', 'main.ts'), 'the source of Castellan', 'move it to a folder that other users can enter, e.g. /opt/castellan')
    requireReachable(process.execPath, 'its Node.js', 'move it to a folder that other users can enter')
  }
  prepareHome(home, accounts)
  const unlock = lockHome(home)
  const log = createLogger({ name: 'up', destination: join(home, 'log', 'up.log') })
  const undo: (() => unknown)[] = [unlock]
  const unwind = async () => {
    for (const step of undo.splice(0).reverse()) await step()
  }
  try {
    const runtime = prepareRuntime(home, accounts)
    const folder = houseFolder(home, options.house)
    if (!existsSync(folder)) {
      onProgress(`making a starter house in ${folder}`)
      await initHouse(folder)
    }
    const read = await readHouse(folder)
    onProgress('starting PostgreSQL')
    const database = await openDatabase(read.house?.settings.database)
    undo.push(() => database.stop())
    const deps = { database: database.owner, clock: systemClock }
    let chosen = chooseHouse(read, await lastGoodHouse(database.owner))
    const adopt = async () => {
      if (chosen.fresh) await declareHouse(deps, chosen.house, chosen.jobs)
      await recordProblems(database.owner, chosen.problems)
      if (accounts) grantHouseFolders(chosen.house, accounts)
    }
    await adopt()

    onProgress('starting the processes')
    const processes = new Map<ProcessName, SupervisedProcess>()
    for (const name of processNames) processes.set(name, new SupervisedProcess(specOf(name), options.limits ?? defaultLimits, log))
    await recordSupervisor(database.owner, {
      version: packageJson.version, house: folder, isolation: launcher.isolation, startedAt: systemClock.now(),
    })
    undo.push(() => stopAll(processes))
    const reload = async () => {
      chosen = chooseHouse(await readHouse(folder), chosen.house)
      await adopt()
      if (chosen.fresh) for (const [name, child] of processes) child.send({ type: 'house', house: houseFor(name) })
      return { fresh: chosen.fresh, digest: chosen.house.digest, problems: chosen.problems }
    }
    const settled = superviseAll(processes, { log, record: (state) => recordProcess(database.owner, state, accounts?.get(state.name)?.uid, launcher.isolation), reload })
    for (const child of processes.values()) child.start()
    const sweep = setInterval(() => {
      sweepRetention(database.owner).catch((error: unknown) => log.warn({ err: error }, 'the retention sweep failed'))
    }, retentionMs)
    undo.push(() => clearInterval(sweep))
    const { ports } = chosen.house.settings
    writeUpState(home, {
      pid: process.pid, startedAt: systemClock.now().toISOString(), version: packageJson.version, house: folder,
      isolation: launcher.isolation, sockets: { server: runtime.sockets.server, releaser: runtime.sockets.releaser }, ports: { ...ports },
    })
    undo.push(() => clearUpState(home))
    return {
      get house() {
        return chosen
      },
      isolation: launcher.isolation,
      processes,
      databasePid: database.pid,
      reload,
      settled: settled.then(async () => {
        const made = await ensureDemonstrationKey(home, runtime.sockets.releaser)
        if (made) onProgress('made a demonstration key: it signs for files only; `castellan operator init` makes yours')
      }),
      stop: unwind,
    }

    function openDatabase(settings: DatabaseSettings | undefined): Promise<KeptDatabase> {
      const common = { socketFolder: runtime.database, log, ...(options.beforeMigration && { beforeMigration: options.beforeMigration }) }
      if (settings?.kind === 'urls') return joinDatabase({ ...common, settings, secret: (name) => readSecret(home, name) })
      return keepDatabase({ ...common, home, account: accounts?.get('database') })
    }

    function houseFor(name: ProcessName): Boot['house'] {
      return name === 'server' ? chosen.house : { ...chosen.house, jobs: [], prompts: {}, agents: [] }
    }

    function specOf(name: ProcessName): ConstructorParameters<typeof SupervisedProcess>[0] {
      const own = join(home, name)
      const program = [process.execPath, '--disable-sigusr1', join(source, 'src', 'processes', 'main.ts'), name]
      return {
        name,
        command: launcher.wrap(name, program),
        environment: {
          PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8', HOME: own, TMPDIR: '/tmp',
          NODE_COMPILE_CACHE: join(own, 'cache'),
        },
        logFile: join(home, 'log', `${name}.log`),
        boot: () => ({
          process: name,
          instance: `${name}@${runtime.key}`,
          database: database.connectionOf(name),
          home, folder: own,
          sockets: runtime.sockets,
          house: houseFor(name),
          secrets: secretsOf(name, chosen.house, home),
          isolation: launcher.isolation,
          ...(options.faultPoints && { faultPoints: options.faultPoints }),
        }),
      }
    }
  } catch (error) {
    await unwind()
    throw toFault(error)
  }
}

interface Supervision {
  readonly log: Logger
  record(state: SupervisedProcess['state']): Promise<void>
  reload(): Promise<unknown>
}

/** Connects the processes with each other and with the table of processes. Resolves once none of them is on its way any more. */
function superviseAll(processes: ReadonlyMap<ProcessName, SupervisedProcess>, { log, record, reload }: Supervision): Promise<void> {
  const settled = Promise.withResolvers<void>()
  for (const child of processes.values()) {
    child.on('state', (state) => {
      record(state).catch((error: unknown) => log.warn({ err: error, state }, 'could not record the state of a process'))
      if ([...processes.values()].every((one) => one.state.state === 'ready' || one.state.state === 'crashed')) settled.resolve()
    })
    child.on('wake', (_from, to) => processes.get(to)?.send({ type: 'wake' }))
    child.on('request', (what, reply) => {
      if (what !== 'reload') return reply({ ok: false, error: { message: `unknown request ${what}` } })
      reload().then(
        (data) => reply({ ok: true, data }),
        (error: unknown) => reply({ ok: false, error: { message: toFault(error).message } }),
      )
    })
  }
  return settled.promise
}

const stopDeadlineMs = 8_000

/** The server first, so that nothing new begins; the releaser last, so that what was decided still goes out. */
async function stopAll(processes: ReadonlyMap<ProcessName, SupervisedProcess>): Promise<void> {
  for (const group of stopOrder) {
    await Promise.all(group.map((name) => processes.get(name)!.stop(stopDeadlineMs)))
  }
}
