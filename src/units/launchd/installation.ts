import { join } from 'node:path'
import type { HouseDescription, Installation, Removal } from '../description.ts'
import { plist, type PlistValue } from './plist.ts'

const folder = '/Library/LaunchDaemons'
const labels = { house: 'org.castellan.house', awake: 'org.castellan.awake' } as const
const user = '_castellan'

const bootout = Object.values(labels).map((label) => `launchctl bootout system/${label}`)

/** A daemon goes on without its file, so it is ended after that too: by its label, which says nothing where it has ended before. */
export const launchdRemoval: Removal = { folders: [folder], before: bootout, after: bootout }

/**
 * The daemons that make launchd keep a house. macOS has no walls by user for what `up` starts, so the house is one daemon under one user, and what
 * separates its processes is sandbox-exec alone: a demonstration, and called one.
 */
export function launchdInstallation(house: HouseDescription): Installation {
  const { home } = house
  const daemon = (label: string, content: Readonly<Record<string, PlistValue>>) => ({
    path: join(folder, `${label}.plist`), mode: 0o644,
    text: plist({ Label: label, RunAtLoad: true, ThrottleInterval: 10, Umask: 0o077, ...content }),
  })
  const paths = Object.values(labels).map((label) => join(folder, `${label}.plist`))
  return {
    files: [
      daemon(labels.house, {
        UserName: user, GroupName: user, ProgramArguments: [...house.keeper.whole], WorkingDirectory: home,
        EnvironmentVariables: { CASTELLAN_HOME: home, PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', LANG: 'C.UTF-8' },
        // whoever ends as told stays down; launchd waits ThrottleInterval between two starts
        KeepAlive: { SuccessfulExit: false }, ExitTimeOut: 60, ProcessType: 'Standard',
        SoftResourceLimits: { Core: 0 }, HardResourceLimits: { Core: 0 },
        StandardOutPath: join(home, 'launchd.log'), StandardErrorPath: join(home, 'launchd.log'),
      }),
      daemon(labels.awake, { UserName: 'nobody', ProgramArguments: ['/usr/bin/caffeinate', '-i', '-s'], KeepAlive: true, ProcessType: 'Background' }),
    ],
    next: [
      // with a home that is nobody's: whoever deletes the user later must not delete the house with it
      `sysadminctl -addUser ${user} -fullName Castellan -roleAccount -UID 399 -shell /usr/bin/false -home /var/empty`,
      `install -d -o ${user} -m 711 ${inShell(home)}`,
      ...paths.map((path) => `launchctl bootstrap system ${path}`),
      'pmset -a autorestart 1',
    ],
  }
}

function inShell(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
