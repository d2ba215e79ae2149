import { existsSync, lstatSync, readlinkSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, normalize } from 'node:path'
import { Fault } from '../kernel/fault.ts'
import type { HiddenPlace, SandboxFolder, SandboxLimits } from './sandbox.ts'
import { egressSocket } from './through-egress.ts'

export interface Confinement {
  readonly argv: readonly string[]
  readonly cwd?: string | undefined
  readonly folders: readonly SandboxFolder[]
  readonly hidden: readonly HiddenPlace[]
  readonly env: Readonly<Record<string, string>>
  /** The Unix socket of a proxy, the one thing that leads out. */
  readonly egress?: string | undefined
  readonly limits: SandboxLimits
  /** Absolute path of util-linux' prlimit. */
  readonly prlimitPath: string
}

/** What programs need of /etc, and nothing that names people or holds keys. */
const etc = ['/etc/ld.so.cache', '/etc/ld.so.conf', '/etc/ld.so.conf.d', '/etc/alternatives', '/etc/localtime', '/etc/ssl/certs']
const topLevel = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32']
/** What a command may keep in /tmp; it is memory. */
const temporaryBytes = 64 * 1024 * 1024
/** Never bound, nor anything above or (where marked) below them: they would undo the confinement. */
const neverAround = ['/usr', '/bin', '/sbin', '/lib', '/lib64', '/etc', '/root', '/home', '/tmp', '/var', '/opt', '/mnt', '/srv', '/Users']
const neverInside = ['/proc', '/sys', '/dev', '/run', '/var/run', '/boot', '/etc']

/**
 * The arguments of bubblewrap. Only `--ro-bind / / --unshare-all` was no boundary when started as root: the command kept its capabilities and
 * remounted `/`. A user namespace with an ordinary uid, no capabilities and no further user namespaces held.
 */
export function bubblewrapArguments(confinement: Confinement): string[] {
  const { argv, cwd, folders, hidden, env, egress } = confinement
  if (!argv[0] || !isAbsolute(argv[0])) throw new Fault('invalid', 'sandbox.argv', 'the first word of a command is its absolute path')
  return [
    '--unshare-all', '--unshare-user', '--uid', '65534', '--gid', '65534',
    '--cap-drop', 'ALL', '--disable-userns', '--new-session', '--die-with-parent', '--hostname', 'sandbox',
    '--clearenv', ...Object.entries(env).flatMap(([name, value]) => ['--setenv', name, value]),
    // read-only, or a process that is root outside could set kernel.core_pattern: that takes no capability
    '--proc', '/proc', '--remount-ro', '/proc',
    '--dev', '/dev', '--remount-ro', '/dev', '--size', String(temporaryBytes), '--tmpfs', '/tmp',
    '--ro-bind', '/usr', '/usr', ...topLevel.flatMap(bindOrLink),
    ...etc.flatMap((path) => (existsSync(path) ? ['--ro-bind', path, path] : [])),
    ...folders.flatMap(bindFolder),
    ...hidden.flatMap(({ path, kind }) => (kind === 'folder' ? ['--tmpfs', path, '--remount-ro', path] : ['--ro-bind', '/dev/null', path])),
    ...(egress === undefined ? [] : ['--ro-bind', egress, egressSocket]),
    '--remount-ro', '/',
    '--chdir', cwd ?? '/tmp',
    '--', ...limited(confinement), ...argv,
  ]
}

function bindOrLink(path: string): string[] {
  if (!existsSync(path)) return []
  return lstatSync(path).isSymbolicLink() ? ['--symlink', readlinkSync(path), path] : ['--ro-bind', path, path]
}

function bindFolder({ path, from = path, access }: SandboxFolder): string[] {
  assertBindable(path)
  assertBindable(from)
  return [access === 'write' ? '--bind' : '--ro-bind', from, path]
}

/** Refuses a folder that would bring back what the sandbox leaves out. The caller has resolved symbolic links. */
export function assertBindable(path: string): void {
  const clean = normalize(path)
  const around = clean === '/' || [...neverAround, homedir()].some((forbidden) => forbidden === clean || forbidden.startsWith(`${clean}/`))
  const inside = neverInside.some((forbidden) => clean === forbidden || clean.startsWith(`${forbidden}/`))
  if (!isAbsolute(path) || path.includes('\0') || clean !== path || around || inside) {
    throw new Fault('refused', 'sandbox.folder', `the sandbox does not open ${path}; name a folder of its own for the command in castellan.yaml`)
  }
}

/** The limits are set inside, where only the processes of the sandbox count. `data` also holds for programs that reserve much address space. */
function limited({ prlimitPath, limits }: Confinement): string[] {
  return [
    prlimitPath, `--data=${limits.memoryBytes}`, `--cpu=${limits.cpuSeconds}`, `--fsize=${limits.fileBytes}`,
    `--nofile=${limits.openFiles}`, `--nproc=${limits.processes}`, '--core=0', '--',
  ]
}
