import { existsSync } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename } from 'node:path'
import { Fault } from '../kernel/fault.ts'
import { assertBindable, bubblewrapArguments } from './bubblewrap-arguments.ts'
import { sendCanary } from './canary.ts'
import { findMemoryGroups, type MemoryGroup } from './memory-group.ts'
import { neverStarted } from './policy/judge-command.ts'
import { runBounded } from './run-bounded.ts'
import type { Sandbox, SandboxCommand, SandboxLimits, SandboxResult, SandboxStatus } from './sandbox.ts'
import { throughEgress } from './through-egress.ts'

export interface SandboxDeps {
  /** Where bubblewrap is; else it is looked for where distributions put it. */
  readonly bwrapPath?: string | undefined
  /** Where prlimit is, likewise. */
  readonly prlimitPath?: string | undefined
  /** A folder that the canary may use, e.g. the process's own; else the system's temporary folder. */
  readonly scratch?: string | undefined
  /** `false`: not even where the kernel would count the memory of a command as one. */
  readonly memoryGroups?: false | undefined
  /** How long what the canary found holds, in milliseconds. */
  readonly freshMs?: number | undefined
}

const places = ['/usr/bin', '/usr/local/bin', '/bin']
const megabyte = 1024 * 1024

const ordinaryLimits: SandboxLimits = {
  timeoutMs: 60_000,
  outputBytes: megabyte,
  memoryBytes: 1024 * megabyte,
  cpuSeconds: 60,
  fileBytes: 256 * megabyte,
  openFiles: 256,
  processes: 128,
}
/** As root, bubblewrap is started as nobody: a process that is root outside owns what it writes, without any capability. */
const nobody = 65534
const environment = { PATH: '/usr/bin:/bin', HOME: '/tmp', LANG: 'C.UTF-8' }

/** A sandbox by bubblewrap, with a canary sent in at once and again before use when the last one is some minutes old. */
export async function createSandbox(deps: SandboxDeps = {}): Promise<Sandbox> {
  const bwrap = deps.bwrapPath ?? find('bwrap')
  const prlimitPath = deps.prlimitPath ?? find('prlimit')
  const setprivPath = find('setpriv')
  const mayEnter = process.getuid?.() !== 0 || setprivPath !== undefined
  const openGroup = deps.memoryGroups === false || !mayEnter ? undefined : await findMemoryGroups()
  const freshMs = deps.freshMs ?? 5 * 60_000
  let last: { readonly at: number; readonly status: Promise<SandboxStatus> } | undefined

  async function confine(asked: SandboxCommand): Promise<SandboxResult> {
    const command = throughEgress(asked)
    const limits = { ...ordinaryLimits, ...command.limits }
    const group = await openGroup?.(limits.memoryBytes)
    try {
      const result = await runIn(group, command, limits)
      return group !== undefined && (result.ended === 'exit' || result.ended === 'signal') && (await group.isExhausted()) ? { ...result, ended: 'memory' } : result
    } finally {
      await group?.close()
    }
  }

  async function runIn(group: MemoryGroup | undefined, command: SandboxCommand, limits: SandboxLimits): Promise<SandboxResult> {
    const args = bubblewrapArguments({
      argv: command.argv, cwd: command.cwd, folders: command.folders ?? [], hidden: command.hidden ?? [], env: { ...environment, ...command.env }, egress: command.egress?.socket, limits, prlimitPath: prlimitPath!,
    })
    const isRoot = process.getuid?.() === 0
    const bounds = { env: {}, stdin: command.stdin, timeoutMs: limits.timeoutMs, outputBytes: limits.outputBytes, signal: command.signal }
    if (group === undefined) return await runBounded({ ...bounds, file: bwrap!, arguments: args, watchedBytes: limits.memoryBytes, as: isRoot ? nobody : undefined })
    // enters the group first, with the rights that this takes, and gives them up before anything else
    return await runBounded({
      ...bounds, file: '/bin/sh',
      arguments: ['-c', 'echo $$ >"$0" && exec "$@"', group.entrance, ...(isRoot ? [setprivPath!, `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups', '--'] : []), bwrap!, ...args],
    })
  }

  async function look(): Promise<SandboxStatus> {
    if (process.platform !== 'linux') return { ok: false, reason: `commands are sandboxed on Linux only so far, not on ${process.platform}` }
    if (bwrap === undefined || !existsSync(bwrap)) {
      return { ok: false, reason: 'bubblewrap is missing; install the package bubblewrap (apt install bubblewrap, dnf install bubblewrap)' }
    }
    if (prlimitPath === undefined || !existsSync(prlimitPath)) return { ok: false, reason: 'prlimit is missing, without which nothing holds a command to its memory and time; install the package util-linux' }
    try {
      const held = await sendCanary((argv, folders) => confine({ argv, folders, limits: { timeoutMs: 15_000 } }), deps.scratch ?? tmpdir())
      return held.ok ? { ok: true, memory: openGroup === undefined ? 'by watching' : 'by the kernel' } : held
    } catch (error) {
      return { ok: false, reason: `the canary could not be sent: ${(error as Error).message}` }
    }
  }

  function status(): Promise<SandboxStatus> {
    const now = performance.now()
    if (last === undefined || now - last.at > freshMs) last = { at: now, status: look() }
    return last.status
  }

  await status()
  return {
    status,
    async run(command) {
      for (const folder of command.folders ?? []) for (const path of [folder.path, folder.from ?? folder.path]) assertBindable(path)
      await refuseNever(command.argv[0], command.egress !== undefined)
      const found = await status()
      if (!found.ok) throw new Fault('refused', 'sandbox.unsafe', `no command is run: ${found.reason}`)
      return await confine(command)
    },
  }
}

/** Whoever asks: what the policy never allows is not started here either. */
async function refuseNever(program: string | undefined, hasWayOut: boolean): Promise<void> {
  const path = await realpath(program ?? '').catch(() => undefined)
  const why = path && neverStarted(basename(path), { mode: (await stat(path)).mode, hasWayOut })
  if (why !== undefined) throw new Fault('refused', 'shell.forbidden', `${path} ${why}`)
}

function find(program: string): string | undefined {
  return places.map((place) => `${place}/${program}`).find((path) => existsSync(path))
}
