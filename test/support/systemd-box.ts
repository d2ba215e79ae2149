import { execFile, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'
import type { UnitFile } from '../../src/units/index.ts'

const systemd = '/lib/systemd/systemd'
const clone = join(import.meta.dirname, '..', '..')

/** Why a systemd of its own cannot be started here, or false: for the option `skip` of a test. */
export function noSystemdBox(): string | false {
  if (process.getuid?.() !== 0) return 'only root can start a systemd of its own'
  if (!existsSync(systemd)) return 'systemd is missing: apt-get install systemd'
  if (!existsSync('/usr/bin/bwrap')) return 'bubblewrap is missing: apt-get install bubblewrap'
  return controlGroups() === undefined ? 'no cgroup2 that can be written is mounted here' : false
}

export interface SystemdBox {
  /** Runs a command beside its units; returns what it printed, also when it fails. */
  run(...command: string[]): Promise<string>
  /** What the units wrote, by the name of the unit. */
  said(unit: string): string
}

/**
 * A systemd that starts the units of an installation and nothing else. All of this machine is read-only to it, and what it needs to write is memory of its
 * own: /run, /tmp, /var, /etc/systemd. `prepare` is a shell script that runs before it, with the folders of tmpfiles.d made.
 */
export async function systemdBox(t: Pick<TestContext, 'after'>, files: readonly UnitFile[], unit: string, prepare: string): Promise<SystemdBox> {
  const shared = mkdtempSync(join(tmpdir(), 'castellan-box-'))
  chmodSync(shared, 0o755)
  mkdirSync(join(shared, 'units'))
  for (const { path, text } of files) {
    const name = path.startsWith('/etc/systemd/system/') ? join('units', path.slice('/etc/systemd/system/'.length)) : `${path.split('/')[2]}.conf`
    // a clone in /tmp would be hidden
    writeFileSync(join(shared, name), clone.startsWith('/tmp/') ? text.replace('PrivateTmp=yes\n', '') : text)
  }
  writeFileSync(join(shared, 'start.sh'), startScript(unit, prepare))
  const group = join(controlGroups()!, `castellan-box-${process.pid}`)
  mkdirSync(group)
  const box = spawn('/bin/sh', ['-c', 'echo $$ > "$0/cgroup.procs" && exec bwrap "$@"', group, ...walls(shared), 'bash', '/run/share/start.sh'], { stdio: ['ignore', 'ignore', 'pipe', 'pipe'] })
  let complaint = ''
  box.stderr!.on('data', (bytes: Buffer) => (complaint += bytes.toString()))
  const closed = new Promise<void>((resolve) => box.once('close', () => resolve()))
  const pid = await firstProcess(box.stdio[3] as Readable)
  const isOver = () => box.exitCode !== null || box.signalCode !== null
  t.after(async () => {
    if (pid > 0 && !isOver()) process.kill(pid, 'SIGKILL') // all of the box goes with its first process
    await closed
    removeGroups(group)
    rmSync(shared, { recursive: true, force: true })
  })
  const run = async (...command: string[]) => {
    const { stdout, stderr } = await promisify(execFile)('nsenter', ['-t', String(pid), '-m', '-p', '-n', '-u', '-i', '--', 'env', '-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', ...command]).catch((error: { stdout: string; stderr: string }) => error)
    return `${stdout}${stderr}`
  }
  while (!/running|degraded/.test(await run('systemctl', 'is-system-running'))) {
    if (isOver()) {
      await closed
      throw new Error(`the box did not start: ${complaint}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return { run, said: (name) => (existsSync(join(shared, `${name}.log`)) ? readFileSync(join(shared, `${name}.log`), 'utf8') : '') }
}

/** As bubblewrap tells it, read whole: it writes in pieces, and a pipe closed under it would kill it. The box keeps the descriptor open, so the closing brace is the end; 0 where it told nothing. */
async function firstProcess(told: Readable): Promise<number> {
  let text = ''
  for await (const part of told) {
    text += String(part)
    if (text.trimEnd().endsWith('}')) return (JSON.parse(text) as { 'child-pid': number })['child-pid']
  }
  return 0
}

function walls(shared: string): string[] {
  return [
    '--unshare-pid', '--unshare-net', '--unshare-uts', '--unshare-ipc', '--unshare-cgroup', '--as-pid-1', '--cap-add', 'ALL', '--die-with-parent', '--info-fd', '3',
    '--ro-bind', '/', '/', ...['/run', '/tmp', '/var', '/root', '/usr/lib/systemd/system', '/etc/systemd'].flatMap((folder) => ['--tmpfs', folder]),
    '--ro-bind', clone, clone, '--dev', '/dev', '--proc', '/proc', '--ro-bind', '/proc/sys', '/proc/sys', '--bind', shared, '/run/share', '--clearenv', '--setenv', 'PATH', '/usr/sbin:/usr/bin:/sbin:/bin',
  ]
}

/** The targets that a system has around the unit are empty, so that nothing of this machine is set up, cleaned or mounted. */
const surroundings = ['sysinit', 'basic', 'multi-user', 'shutdown', 'network-online', 'local-fs', 'time-sync']

function startScript(unit: string, prepare: string): string {
  return `set -eu
for place in /etc /usr /home /opt; do
  if touch "$place/castellan-box" 2>/dev/null; then echo "$place can be written from inside the box" >&2; exit 1; fi
done
mount --make-rshared /
mount -t cgroup2 none /sys/fs/cgroup
mkdir -p /etc/systemd/system/service.d /var/lib /var/tmp /run/lock
chmod 1777 /tmp /var/tmp
cp /run/share/units/* /etc/systemd/system/
for name in ${surroundings.join(' ')}; do printf '[Unit]\\nDefaultDependencies=no\\n' > /etc/systemd/system/$name.target; done
printf '[Service]\\nStandardOutput=append:/run/share/%%n.log\\nStandardError=append:/run/share/%%n.log\\n' > /etc/systemd/system/service.d/output.conf
systemd-tmpfiles --create /run/share/tmpfiles.d.conf
${prepare}
exec env container=box ${systemd} --system --unit=${unit}
`
}

/** Where a group for the box can be made. */
function controlGroups(): string | undefined {
  const mounted = readFileSync('/proc/mounts', 'utf8').split('\n').map((line) => line.split(' ')).filter(([, , kind, options]) => kind === 'cgroup2' && /(^|,)rw(,|$)/.test(options ?? ''))
  return mounted[0]?.[1]
}

function removeGroups(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) if (entry.isDirectory()) removeGroups(join(folder, entry.name))
  rmdirSync(folder)
}
