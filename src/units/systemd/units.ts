import { dirname, join } from 'node:path'
import type { Credential, HouseDescription, UnitProcess } from '../description.ts'
import { idleWalls, keeperWalls, processWalls } from './hardening.ts'
import { commandLine, plain, word } from './quote.ts'

export const unitFolder = '/etc/systemd/system'
export const target = 'castellan.target'
export const keeperUnit = 'castellan.service'
const awakeUnit = 'castellan-awake.service'

/** The first line of each file, by which an installation knows its own. */
export const heading = '# Written by `castellan service install`; changes belong into a drop-in (systemctl edit).'

type Section = readonly (readonly [key: string, value: string] | undefined)[]

export const unitName = (process: string): string => `castellan-${process}.service`

/** All units of a house: one target, what keeps the doors, one service for each process, and one that keeps the machine awake. */
export function units(house: HouseDescription): { name: string; text: string }[] {
  const all = [keeperUnit, ...house.processes.map(({ name }) => unitName(name)), awakeUnit]
  return [
    { name: target, text: unit({ Unit: [['Description', 'Castellan, a whole house'], ['Wants', all.join(' ')]], Install: [['WantedBy', 'multi-user.target']] }) },
    { name: keeperUnit, text: keeper(house) },
    ...house.processes.map((process) => ({ name: unitName(process.name), text: service(house, process) })),
    { name: awakeUnit, text: awake() },
  ]
}

/** Five deaths a minute are a loop, and stay visible as a failed unit; whoever ends as told stays down. */
const restart: Section = [['Restart', 'on-failure'], ['RestartSec', '2s']]
const bounds: Section = [['StartLimitIntervalSec', '60s'], ['StartLimitBurst', '5']]

function keeper(house: HouseDescription): string {
  const { network, command, credentials } = house.keeper
  return unit({
    Unit: [
      ['Description', 'Castellan: the database, the house folder and the doors of the processes'], ['Documentation', `file://${plain(join(house.source, 'docs', 'recipes', 'run-as-a-service.md'))}`],
      ['PartOf', target], ['After', `local-fs.target time-sync.target${network ? ' network-online.target' : ''}`], network ? ['Wants', 'network-online.target'] : undefined, ...bounds,
    ],
    Service: [
      ['Type', 'exec'], ['ExecStart', commandLine(command)], ['ExecReload', '/bin/kill -HUP $MAINPID'], ...restart, ['KillMode', 'mixed'], ['TimeoutStopSec', '60s'],
      ...environment(house), ...journal('up', house), ...loaded(credentials), ...keeperWalls(network), protectHome(house, []), ['InaccessiblePaths', `-${word(join(house.home, 'secrets'))}`],
      ...written([house.home, dirname(house.runtime), house.house]),
    ],
  })
}

function service(house: HouseDescription, process: UnitProcess): string {
  const { name, user, groups, outlivedBy, network } = process
  const world = network === 'world'
  return unit({
    Unit: [
      ['Description', `Castellan: ${name}`], ['PartOf', `${target} ${keeperUnit}`],
      // the order of the start is that of the stop, turned round: who is outlived is started later
      ['After', [keeperUnit, ...outlivedBy.map(unitName), ...(world ? ['network-online.target'] : [])].join(' ')], world ? ['Wants', 'network-online.target'] : undefined, ...bounds,
    ],
    Service: [
      ['Type', 'exec'], ['ExecStart', commandLine(process.command)], ...restart, ['TimeoutStopSec', '15s'], ['User', user], ['Group', user],
      groups.length > 0 ? ['SupplementaryGroups', groups.join(' ')] : undefined,
      ...environment(house, join(house.home, name)), ...journal(name, house), ...loaded(process.credentials), ...processWalls(process), protectHome(house, [...process.writes, ...process.reads]),
      ['InaccessiblePaths', ['secrets', 'operator', 'log', 'database'].map((folder) => `-${word(join(house.home, folder))}`).join(' ')],
      ...written([join(house.home, name), `-${join(house.runtime, name)}`, ...process.writes]),
    ],
  })
}

function awake(): string {
  return unit({
    Unit: [['Description', 'Castellan: keeps this machine awake, for schedules and deadlines go by the clock'], ['PartOf', target], ['After', 'dbus.socket systemd-logind.service'], ['ConditionPathExists', '/run/dbus/system_bus_socket'], ...bounds],
    Service: [
      ['Type', 'exec'], ['ExecStart', commandLine(['/usr/bin/systemd-inhibit', '--what=sleep:idle:handle-lid-switch', '--who=Castellan', '--why=schedules and deadlines go by the clock', '--mode=block', '/usr/bin/sleep', 'infinity'])],
      ...restart, ...idleWalls(),
    ],
  })
}

function environment({ home }: HouseDescription, own?: string): Section {
  const variables = { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8', CASTELLAN_HOME: home, NODE_COMPILE_CACHE: join(home, 'cache'), ...(own !== undefined && { HOME: own }) }
  return Object.entries(variables).map(([name, value]) => ['Environment', word(`${name}=${value}`)])
}

/** So that `journalctl CASTELLAN_PROCESS=releaser` finds what one process said, under whatever unit. */
function journal(name: string, { home }: HouseDescription): Section {
  return [['SyslogIdentifier', name === 'up' ? 'castellan' : `castellan-${name}`], ['LogExtraFields', `CASTELLAN_PROCESS=${name}`], ['LogExtraFields', word(`CASTELLAN_HOME=${home}`)]]
}

function loaded(credentials: readonly Credential[]): Section {
  return credentials.map(({ name, path, encrypted }) => [encrypted ? 'LoadCredentialEncrypted' : 'LoadCredential', `${plain(name)}:${plain(path)}`])
}

function written(paths: readonly string[]): Section {
  return [...new Set(paths)].map((path) => ['ReadWritePaths', path.startsWith('-') ? `-${word(path.slice(1))}` : word(path)])
}

/** Home folders are hidden, unless this house, its source, or what the process needs lies in one. */
function protectHome({ home, house, source, keeper }: HouseDescription, paths: readonly string[]): [string, string] {
  const needed = [home, house, source, keeper.command[0]!, ...paths.map((path) => path.replace(/^-/, ''))]
  return ['ProtectHome', needed.some((path) => /^\/(home|root|run\/user)\//.test(path)) ? 'read-only' : 'yes']
}

function unit(sections: Readonly<Record<string, Section>>): string {
  const text = Object.entries(sections).map(([name, lines]) => [`[${name}]`, ...lines.flatMap((line) => (line ? [line.join('=')] : []))].join('\n'))
  return `${heading}\n${text.join('\n\n')}\n`
}
