import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { Fault } from '../kernel/fault.ts'
import { ensureAccounts, installedAccounts, type Account, type AccountOwner } from './accounts.ts'
import type { Isolation, ProcessName } from './boot.ts'

/** How processes are started on this machine: as whom, and behind which walls. */
export interface Launcher {
  readonly isolation: Isolation
  /** Present when each process has its own uid. */
  readonly accounts?: ReadonlyMap<AccountOwner, Account>
  /** The command that becomes `program`, as the process `name`, with its walls around it. */
  wrap(name: ProcessName, program: readonly string[]): string[]
}

/** Workers think, so they get no network; the others need loopback or the world. */
export const withoutNetwork: ReadonlySet<ProcessName> = new Set(['worker-open', 'worker-private'])

/** Whose sockets a process may enter: workers ask models and the reader, the server asks how the gates are, gate local hands redacted text on. Local models are open to every lane. */
export const mayEnter: Partial<Record<ProcessName, readonly AccountOwner[]>> = {
  'worker-private': ['gate-local', 'reader'],
  'worker-open': ['gate-cloud', 'gate-local', 'reader'],
  'gate-local': ['gate-cloud'],
  server: ['gate-local', 'gate-cloud'],
}

/** Chooses the strongest separation that this machine and user allow. @throws Fault when root cannot drop its rights */
export function chooseLauncher(home: string): Launcher {
  if (process.getuid?.() === 0) return separateUids()
  if (process.platform === 'darwin') return sandboxExec()
  return works('bwrap', ['--dev-bind', '/', '/', '--unshare-net', '--unshare-pid', '--proc', '/proc', 'true'])
    ? bubblewrapped(home)
    : unshared()
}

/** Units start the processes, each with its user and its walls; nothing is left to wrap. @throws Fault `units.root`, `account.missing` */
export function unitLauncher(): Launcher {
  if (process.getuid?.() !== 0) throw new Fault('refused', 'units.root', 'only root may keep the doors of units; start castellan.service, or leave --units out')
  return {
    accounts: installedAccounts(),
    isolation: { mode: 'separate-uids', detail: 'each process is a unit with its own uid; workers have no network' },
    wrap: (_name, program) => [...program],
  }
}

function separateUids(): Launcher {
  if (!works('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', 'true'])) {
    throw new Fault('unavailable', 'isolation.setpriv', 'started as root, but `setpriv` (util-linux) does not work here, so no process could drop its rights. Install util-linux, or start Castellan as an ordinary user')
  }
  const namespaces = works('unshare', ['--net', 'true'])
  const accounts = ensureAccounts()
  const drop = (name: ProcessName, { uid, gid }: Account) => {
    const groups = [gid, ...(mayEnter[name] ?? []).map((owner) => accounts.get(owner)!.gid)]
    return ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, `--groups=${groups}`, '--no-new-privs', '--bounding-set=-all', '--inh-caps=-all', '--']
  }
  return {
    accounts,
    isolation: namespaces
      ? { mode: 'separate-uids', detail: 'each process has its own uid; workers are in a network namespace of their own' }
      : { mode: 'demonstration', detail: 'each process has its own uid, but this machine allows no network namespaces, so workers are not cut off from the network' },
    wrap: (name, program) => [
      ...(namespaces && withoutNetwork.has(name) ? ['unshare', '--net', '--'] : []),
      ...drop(name, accounts.get(name)!),
      ...program,
    ],
  }
}

const oneUid = 'all processes share one uid, so any of your programs can read what they hold'

function bubblewrapped(home: string): Launcher {
  const folders = ['database', 'releaser', 'server', 'gate-local', 'gate-cloud', 'worker-open', 'worker-private', 'reader', 'operator', 'secrets', 'log']
  return {
    isolation: { mode: 'demonstration', detail: `${oneUid}; workers are in bubblewrap without network, other processes, or the folders of others` },
    wrap: (name, program) =>
      withoutNetwork.has(name)
        ? [
            'bwrap', '--dev-bind', '/', '/', '--unshare-net', '--unshare-pid', '--unshare-ipc', '--proc', '/proc', '--die-with-parent',
            ...folders.filter((folder) => folder !== name).flatMap((folder) => ['--tmpfs', join(home, folder)]),
            '--', ...program,
          ]
        : [...program],
  }
}

function unshared(): Launcher {
  const namespaces = works('unshare', ['--user', '--map-current-user', '--net', 'true'])
  return {
    isolation: {
      mode: 'demonstration',
      detail: namespaces
        ? `${oneUid}; workers are in a network namespace of their own; install bubblewrap to hide the rest from them`
        : `${oneUid}, and nothing here can cut workers off from the network: install bubblewrap`,
    },
    wrap: (name, program) =>
      namespaces && withoutNetwork.has(name) ? ['unshare', '--user', '--map-current-user', '--net', '--', ...program] : [...program],
  }
}

function sandboxExec(): Launcher {
  const profile = '(version 1) (allow default) (deny network*) (allow network* (local unix-socket)) (allow network* (remote unix-socket))'
  return {
    isolation: { mode: 'demonstration', detail: `${oneUid}; workers run under sandbox-exec without network` },
    wrap: (name, program) => (withoutNetwork.has(name) ? ['sandbox-exec', '-p', profile, ...program] : [...program]),
  }
}

function works(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore', timeout: 5_000 }).status === 0
}
