import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Connection } from '../kernel/database/connect.ts'
import type { House } from '../house/index.ts'
import { unseenSecrets, type SecretReport } from '../secrets/index.ts'
import type { Boot, ProcessName, Sockets } from './boot.ts'
import { mayEnter, type Launcher } from './isolation.ts'
import { secretsOf } from './read-secrets.ts'
import type { AttachedSpec } from './attached-process.ts'
import { reportOf } from './take-secrets.ts'
import type { ProcessSpec } from './supervise.ts'

export interface SpecDeps {
  readonly home: string
  readonly launcher: Launcher
  /** Tells this home from others on the same machine. */
  readonly key: string
  readonly sockets: Sockets
  connectionOf(process: ProcessName): Connection
  /** Undefined where the operator's database has no such user. */
  listener?(): Connection | undefined
  /** As it is at the moment. */
  house(): House
  faultPoints?(): string | undefined
}

/** The folder that holds `src`. */
export const source = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
export const entry = join(source, 'src', 'processes', 'main.ts')

/**
 * No debugger on a signal; and a small young generation, because seven processes share a machine that does other work too. A gate has a larger one: it
 * makes much that is soon forgotten, and spends a tenth less of the processor so (measured).
 */
export function nodeFlags(name?: ProcessName): string[] {
  return ['--disable-sigusr1', `--max-semi-space-size=${name?.startsWith('gate-') ? 8 : 1}`]
}

/** What it takes to start one process: the command with its walls, a bare environment, and the boot message. */
export function processSpec(name: ProcessName, deps: SpecDeps): ProcessSpec {
  const folder = join(deps.home, name)
  return {
    name,
    command: deps.launcher.wrap(name, [process.execPath, ...nodeFlags(name), entry, name]),
    environment: {
      PATH: '/usr/local/bin:/usr/bin:/bin',
      LANG: 'C.UTF-8',
      HOME: folder,
      TMPDIR: '/tmp',
      NODE_COMPILE_CACHE: join(deps.home, 'cache'),
    },
    logFile: join(deps.home, 'log', `${name}.log`),
    boot: () => bootMessage(name, folder, deps, secretsOf(name, deps.house(), deps.home), () => reportOf(deps.home, deps.house())),
  }
}

/** The same for a process that is a unit: systemd gives it its secrets, so `up` tells it none. */
export function attachedSpec(name: ProcessName, door: string, deps: SpecDeps): AttachedSpec {
  const admits = deps.launcher.accounts?.get(name)
  return { name, door, ...(admits && { admits }), boot: () => bootMessage(name, join(deps.home, name), deps, {}, () => unseenSecrets) }
}

/**
 * The house as one process needs it: only the server looks at jobs; the releaser at their names and lanes, which it shows to whoever signs; only
 * the gates know whose names no cloud model is told.
 */
export function houseFor(name: ProcessName, house: House): House {
  // where a secret comes from is nobody's business who has it
  house = { ...house, settings: { ...house.settings, secrets: [] } }
  const dictionary = name.startsWith('gate-') ? house.dictionary : []
  if (name === 'server') return { ...house, dictionary }
  const jobs = name === 'releaser' ? house.jobs.map((job) => ({ ...job, steps: [], prompts: {} })) : []
  return { ...house, dictionary, jobs, prompts: {}, agents: [] }
}

const owners: Readonly<Record<keyof Sockets, ProcessName>> = { server: 'server', releaser: 'releaser', gateLocal: 'gate-local', gateCloud: 'gate-cloud', reader: 'reader' }

/** Most processes always run; the reader only where there is something to read. */
export function isWanted(name: ProcessName, { settings }: House): boolean {
  return name !== 'reader' || settings.sources.length > 0
}

/** A process is told where it listens and whom it may enter; the other paths are empty. */
function socketsFor(name: ProcessName, sockets: Sockets): Sockets {
  const known = (socket: keyof Sockets) => (owners[socket] === name || mayEnter[name]?.includes(owners[socket]) ? sockets[socket] : '')
  return { server: known('server'), releaser: known('releaser'), gateLocal: known('gateLocal'), gateCloud: known('gateCloud'), reader: known('reader') }
}

function bootMessage(name: ProcessName, folder: string, deps: SpecDeps, secrets: Boot['secrets'], report: () => SecretReport): Boot {
  const faultPoints = deps.faultPoints?.()
  const house = deps.house()
  const listener = name === 'server' && house.settings.webhooks.length > 0 ? deps.listener?.() : undefined
  return {
    process: name,
    instance: `${name}@${deps.key}`,
    database: deps.connectionOf(name),
    ...(listener && { listener }),
    home: deps.home,
    folder,
    sockets: socketsFor(name, deps.sockets),
    house: houseFor(name, house),
    secrets,
    ...(name === 'server' && { secretReport: report() }),
    isolation: deps.launcher.isolation,
    ...(faultPoints && { faultPoints }),
  }
}
