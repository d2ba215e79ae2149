import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { pipeline } from 'node:stream/promises'
import { Fault } from '../kernel/fault.ts'
import type { SandboxResult } from './sandbox.ts'
import { watchMemory } from './watch-memory.ts'

export interface BoundedCommand {
  readonly file: string
  readonly arguments: readonly string[]
  readonly cwd?: string | undefined
  readonly env: Readonly<Record<string, string>>
  readonly stdin?: Iterable<Uint8Array> | undefined
  readonly timeoutMs: number
  /** Bytes of each of stdout and stderr. */
  readonly outputBytes: number
  readonly signal?: AbortSignal | undefined
  /** The user and group to run it as; only root can. */
  readonly as?: number | undefined
  /** What all processes together may have in memory, where nobody else sees to it. */
  readonly watchedBytes?: number | undefined
}

/**
 * Runs a program in a process group of its own and ends the whole group with SIGKILL when time or output is used up or the signal says so.
 * What it wrote until then is returned.
 */
export async function runBounded(command: BoundedCommand): Promise<SandboxResult> {
  command.signal?.throwIfAborted()
  const child = spawn(command.file, command.arguments, {
    cwd: command.cwd,
    env: { ...command.env },
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(command.as !== undefined && { uid: command.as, gid: command.as }),
  })
  return await new Promise<SandboxResult>((resolve, reject) => {
    let ended: SandboxResult['ended'] | 'aborted' | undefined
    const end = (why: 'timeout' | 'output' | 'memory' | 'aborted') => {
      ended ??= why
      killGroup(child.pid)
    }
    const onAbort = () => end('aborted')
    const timer = setTimeout(() => end('timeout'), command.timeoutMs)
    command.signal?.addEventListener('abort', onAbort, { once: true })

    const unwatch = command.watchedBytes === undefined || child.pid === undefined ? undefined : watchMemory(child.pid, command.watchedBytes, () => end('memory'))

    const stdout = collect(child.stdout, command.outputBytes, () => end('output'))
    const stderr = collect(child.stderr, command.outputBytes, () => end('output'))
    // a program that closes its input early is no error of ours
    void pipeline(command.stdin ?? [], child.stdin).catch(() => undefined)

    const settle = () => {
      clearTimeout(timer)
      unwatch?.()
      command.signal?.removeEventListener('abort', onAbort)
    }
    child.once('error', (error) => {
      settle()
      reject(new Fault('unavailable', 'sandbox.spawn', `${command.file} could not be started: ${error.message}`, {}, error))
    })
    child.once('close', (code, signal) => {
      settle()
      // nothing of the group may outlive the command, e.g. a grandchild that closed its output
      killGroup(child.pid)
      if (ended === 'aborted') return reject(command.signal!.reason as Error)
      resolve({
        exitCode: code ?? 128 + (signal ? constants.signals[signal] : 0),
        stdout: Buffer.concat(stdout),
        stderr: Buffer.concat(stderr),
        ended: ended ?? (code === null ? 'signal' : 'exit'),
      })
    })
  })
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // the group is gone already
  }
}

function collect(stream: NodeJS.ReadableStream, limit: number, tooMuch: () => void): Buffer[] {
  const chunks: Buffer[] = []
  let left = limit
  stream.on('data', (chunk: Buffer) => {
    if (left > 0) chunks.push(chunk.subarray(0, left))
    left -= chunk.length
    if (left < 0) tooMuch()
  })
  return chunks
}
