import { execFileSync } from 'node:child_process'
import { basename } from 'node:path'
import { Fault } from '../kernel/fault.ts'
import { replaceFile } from '../outbox/durable-file.ts'
import { compareFiles, installedFiles, installFiles, launchdInstallation, launchdRemoval, systemdInstallation, systemdRemoval, uninstallFiles, type FileState, type HouseDescription, type Installation, type Removal } from '../units/index.ts'
import { describeHouse } from './describe-house.ts'
import { requireReachable } from './folders.ts'
import { entry } from './process-specs.ts'
import { houseFolder, readHouse } from './up-house.ts'

export const serviceManagers = ['systemd', 'launchd'] as const
export type ServiceManager = (typeof serviceManagers)[number]

const removals: Readonly<Record<ServiceManager, Removal>> = { systemd: systemdRemoval, launchd: launchdRemoval }

export interface ServiceOptions {
  readonly home: string
  readonly house?: string | undefined
  readonly manager: ServiceManager
}

export interface UnitState {
  readonly unit: string
  /** As systemd says it, e.g. `active`; null where nobody can be asked. */
  readonly active: string | null
  readonly restarts: number | null
}

/** What would be installed for this house. @throws Fault `house.broken` and those of the renderers */
export async function readInstallation({ home, house, manager }: ServiceOptions): Promise<Installation> {
  return render(manager, await describe(home, houseFolder(home, house)))
}

/** Writes the files of the system that keep this house running. @throws Fault `service.root` for others than root */
export async function installService(options: ServiceOptions): Promise<Pick<Installation, 'next'> & { files: FileState[] }> {
  mustBeRoot('install')
  requireReachable(entry, 'the source of Castellan', 'move it to a folder that other users can enter, e.g. /opt/castellan')
  requireReachable(process.execPath, 'its Node.js', 'move it to a folder that other users can enter')
  const { files, next } = await readInstallation(options)
  const done = await installFiles({ replaceFile }, options.home, files)
  return { files: done, next: [...done.filter(({ state }) => state === 'removed').flatMap(({ path }) => unitsAt([path])).map((unit) => `systemctl stop ${unit}`), ...next] }
}

/** What there is to take away, and what comes before that. Asks the system, and not the house: it may be broken by now, or gone. */
export function readRemoval({ manager }: Pick<ServiceOptions, 'manager'>): Pick<Removal, 'before'> & { files: string[] } {
  const { folders, before } = removals[manager]
  return { files: installedFiles({}, folders), before }
}

/** Takes them away; home, house, secrets and users stay. @throws Fault `service.root`, `service.running`, `unit.other_home` */
export function uninstallService({ home, manager }: Pick<ServiceOptions, 'home' | 'manager'>): Pick<Removal, 'after'> & { files: FileState[] } {
  mustBeRoot('uninstall')
  const { folders, before, after } = removals[manager]
  const running = unitStates(installedFiles({}, folders)).filter(({ active }) => active !== null && active !== 'inactive' && active !== 'failed')
  if (running.length > 0) throw new Fault('conflict', 'service.running', `${running.map(({ unit }) => unit).join(', ')} still run; first: ${[...before, ...running.map(({ unit }) => `systemctl stop ${unit}`)].join('; ')}`)
  return { files: uninstallFiles({}, home, folders), after }
}

export async function serviceStatus(options: ServiceOptions): Promise<{ files: FileState[]; units: UnitState[]; next: readonly string[] }> {
  const installation = await readInstallation(options)
  return { files: compareFiles({}, installation.files), units: unitStates(installation.files.map(({ path }) => path)), next: installation.next }
}

async function describe(home: string, folder: string): Promise<HouseDescription> {
  const { house, problems } = await readHouse(folder, home)
  if (house === undefined) throw new Fault('invalid', 'house.broken', `the house in ${folder} has errors; \`castellan config check\` names them`, { problems })
  return describeHouse({ home, house })
}

function render(manager: ServiceManager, house: HouseDescription): Installation {
  return manager === 'systemd' ? systemdInstallation(house) : launchdInstallation(house)
}

function mustBeRoot(verb: string): void {
  if (process.getuid?.() !== 0) throw new Fault('refused', 'service.root', `only root may change what the system starts; run \`sudo castellan service ${verb}\`, or look at the files with \`castellan service install --print\``)
}

/** The names of those that are units of systemd. */
function unitsAt(paths: readonly string[]): string[] {
  return paths.flatMap((path) => (/\/systemd\/system\/[^/]+\.(service|target)$/.test(path) ? [basename(path)] : []))
}

function unitStates(paths: readonly string[]): UnitState[] {
  return unitsAt(paths).map((unit) => {
    try {
      const said = execFileSync('systemctl', ['show', '-p', 'ActiveState,NRestarts', unit], { stdio: ['ignore', 'pipe', 'ignore'] }).toString()
      const property = (name: string) => new RegExp(`^${name}=(.+)$`, 'm').exec(said)?.[1]
      return { unit, active: property('ActiveState') ?? null, restarts: property('NRestarts') === undefined ? null : Number(property('NRestarts')) }
    } catch {
      return { unit, active: null, restarts: null } // no systemd runs here
    }
  })
}
