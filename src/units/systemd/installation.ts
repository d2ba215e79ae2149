import { dirname, join } from 'node:path'
import { Fault } from '../../kernel/fault.ts'
import type { HouseDescription, Installation, Removal } from '../description.ts'
import { plain } from './quote.ts'
import { heading, keeperUnit, target, unitFolder, units } from './units.ts'

const sysusers = '/etc/sysusers.d/castellan.conf'
const tmpfiles = '/etc/tmpfiles.d/castellan.conf'

export const systemdRemoval: Removal = {
  folders: [unitFolder, dirname(sysusers), dirname(tmpfiles)],
  before: [`systemctl disable --now ${target} ${keeperUnit}`],
  after: ['systemctl daemon-reload'],
}

/** Every file that makes systemd keep a house. @throws Fault `unit.home`, `unit.path` */
export function systemdInstallation(house: HouseDescription): Installation {
  for (const [what, path] of [['home', house.home], ['house', house.house], ['source', house.source]] as const) {
    if (/^\/(var\/)?tmp(\/|$)/.test(path)) throw new Fault('invalid', 'unit.home', `the ${what} ${path} is in a folder that is emptied, and each unit has a /tmp of its own; move it, e.g. to /var/lib/castellan`)
  }
  return {
    files: [
      ...units(house).map(({ name, text }) => ({ path: join(unitFolder, name), mode: 0o644, text })),
      { path: sysusers, mode: 0o644, text: lines(house.users.map((user) => `u ${plain(user)} - "Castellan" /nonexistent /usr/sbin/nologin`)) },
      { path: tmpfiles, mode: 0o644, text: lines(house.folders.map(({ path, mode, user, group }) => `d ${plain(path)} ${mode.toString(8).padStart(4, '0')} ${user} ${group} -`)) },
    ],
    next: [`systemd-sysusers ${sysusers}`, `systemd-tmpfiles --create ${tmpfiles}`, 'systemctl daemon-reload', `systemctl enable --now ${target}`],
  }
}

function lines(all: readonly string[]): string {
  return `${[heading, ...all].join('\n')}\n`
}
