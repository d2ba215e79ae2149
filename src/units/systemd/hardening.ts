import type { UnitProcess } from '../description.ts'

type Line = readonly [key: string, value: string]

/** What holds for everybody: nothing of the machine is changed, no right is gained, no memory is written to a disk. */
const everybody: readonly Line[] = [
  ['NoNewPrivileges', 'yes'], ['ProtectSystem', 'strict'], ['PrivateTmp', 'yes'], ['PrivateMounts', 'yes'], ['PrivateDevices', 'yes'], ['DevicePolicy', 'closed'],
  ['ProtectControlGroups', 'yes'], ['ProtectKernelModules', 'yes'], ['ProtectClock', 'yes'],
  ['LockPersonality', 'yes'], ['RestrictRealtime', 'yes'], ['RemoveIPC', 'yes'], ['KeyringMode', 'private'], ['UMask', '0077'],
  ['SystemCallArchitectures', 'native'], ['SystemCallErrorNumber', 'EPERM'], ['LimitCORE', '0'],
]

/**
 * Bubblewrap makes namespaces, mounts a /proc of its own in them and names its host; the kernel refuses a second /proc where something lies over
 * the first. So these are left out where commands are sandboxed: what they protect belongs to root, and the process is not.
 */
const withoutSandbox: readonly Line[] = [
  ['ProtectKernelTunables', 'yes'], ['ProtectKernelLogs', 'yes'], ['ProtectProc', 'invisible'], ['ProcSubset', 'pid'], ['ProtectHostname', 'yes'], ['PrivateUsers', 'yes'],
  ['RestrictNamespaces', 'yes'], ['RestrictSUIDSGID', 'yes'], ['SystemCallFilter', '@system-service'], ['SystemCallFilter', '~@privileged @resources'],
]

const withSandbox: readonly Line[] = [
  ['RestrictNamespaces', 'user mnt pid net ipc uts cgroup'], ['RestrictSUIDSGID', 'yes'],
  ['SystemCallFilter', '@system-service @mount sethostname'], ['SystemCallFilter', '~@clock @cpu-emulation @debug @module @obsolete @raw-io @reboot @swap'],
]

const networks: Readonly<Record<UnitProcess['network'], readonly Line[]>> = {
  none: [['PrivateNetwork', 'yes'], ['IPAddressDeny', 'any']],
  loopback: [['IPAddressDeny', 'any'], ['IPAddressAllow', 'localhost']],
  world: [],
}

/** The walls of one process. MemoryDenyWriteExecute= is not among them: V8 compiles what it runs. */
export function processWalls({ network, sandbox }: Pick<UnitProcess, 'network' | 'sandbox'>): Line[] {
  // bubblewrap switches the loopback of a new namespace on through a netlink socket; libuv lists interfaces through one
  const families = ['AF_UNIX', ...(network === 'none' ? [] : ['AF_INET', 'AF_INET6']), ...(network !== 'none' || sandbox ? ['AF_NETLINK'] : [])]
  return [
    ['CapabilityBoundingSet', ''], ['AmbientCapabilities', ''],
    ...everybody, ...(sandbox ? withSandbox : withoutSandbox), ...networks[network], ['RestrictAddressFamilies', families.join(' ')],
  ]
}

/** What `up` does as root: gives folders to their users, starts PostgreSQL as its user, ends it. Nothing beyond. */
const keeperRights = ['CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_FOWNER', 'CAP_FSETID', 'CAP_KILL', 'CAP_SETGID', 'CAP_SETUID', 'CAP_SETPCAP']

export function keeperWalls(network: boolean): Line[] {
  return [
    ['CapabilityBoundingSet', keeperRights.join(' ')], ...everybody,
    ['ProtectKernelTunables', 'yes'], ['ProtectKernelLogs', 'yes'], ['ProtectHostname', 'yes'], ['RestrictNamespaces', 'yes'],
    ['SystemCallFilter', '@system-service'], ['SystemCallFilter', '~@resources'],
    ...networks[network ? 'world' : 'none'], ['RestrictAddressFamilies', network ? 'AF_UNIX AF_INET AF_INET6 AF_NETLINK' : 'AF_UNIX AF_NETLINK'],
  ]
}

/** For the unit that only keeps the machine awake. */
export function idleWalls(): Line[] {
  return [['CapabilityBoundingSet', ''], ...everybody, ...withoutSandbox.filter(([key]) => key !== 'PrivateUsers'), ...networks.none, ['ProtectHome', 'yes'], ['RestrictAddressFamilies', 'AF_UNIX'], ['MemoryDenyWriteExecute', 'yes']]
}
