import { spawn, type ChildProcess } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { closeSync, existsSync, openSync, renameSync, statSync } from 'node:fs'
import type { Writable } from 'node:stream'
import type { Logger } from '../kernel/log.ts'
import type { Boot, ProcessName } from './boot.ts'

export interface ProcessSpec {
  readonly name: ProcessName
  /** The whole command, walls included. */
  readonly command: readonly string[]
  readonly environment: Record<string, string>
  readonly logFile: string
  /** Made anew for each start, because secrets and the house change. */
  boot(): Boot
}

export interface SupervisionLimits {
  /** So many deaths within the window stop a process for good. */
  readonly crashes: number
  readonly windowMs: number
  readonly backoffMs: readonly number[]
}

export const defaultLimits: SupervisionLimits = { crashes: 5, windowMs: 60_000, backoffMs: [50, 250, 1_000, 2_000] }

export interface ProcessState {
  readonly name: ProcessName
  readonly state: 'starting' | 'ready' | 'backoff' | 'stopped' | 'crashed'
  readonly pid: number | null
  readonly restarts: number
  readonly reason: string | null
}

export interface SupervisorEvents {
  state: [ProcessState]
  wake: [from: ProcessName, to: ProcessName]
  request: [what: string, reply: (answer: unknown) => void, names: readonly string[]]
}

/** What `up` may do with a process, whoever starts it. */
export interface Supervised extends EventEmitter<SupervisorEvents> {
  readonly state: ProcessState
  readonly pid: number | undefined
  start(): void
  send(message: object): void
  /** Starts it anew, so that it is told everything again. Resolves once the old one is gone. */
  restart(deadlineMs: number): Promise<void>
  stop(deadlineMs: number): Promise<void>
}

/** What a process tells `up`. */
export type ToldUp = { type: 'ready' } | { type: 'wake'; to: ProcessName } | { type: 'request'; what: string; id: number; names?: readonly string[] }

/** Keeps one process running: restarts it with a growing pause, and gives it up visibly when it dies too often. */
export class SupervisedProcess extends EventEmitter<SupervisorEvents> {
  readonly spec: ProcessSpec
  readonly #limits: SupervisionLimits
  readonly #log: Logger
  #child: ChildProcess | undefined
  #timer: NodeJS.Timeout | undefined
  #deaths: number[] = []
  #restarts = 0
  #stopping = false
  /** How often it was asked to stop. */
  #stops = 0
  #current: ProcessState

  constructor(spec: ProcessSpec, limits: SupervisionLimits, log: Logger) {
    super()
    this.spec = spec
    this.#limits = limits
    this.#log = log.child({ process: spec.name })
    this.#current = { name: spec.name, state: 'stopped', pid: null, restarts: 0, reason: null }
  }

  get state(): ProcessState {
    return this.#current
  }

  /** The pid of the process, or of the sandbox around it. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** @throws what its boot message throws; then nothing was started */
  start(): void {
    this.#stopping = false
    const message = JSON.stringify(this.spec.boot())
    const log = openLog(this.spec.logFile)
    const [program, ...args] = this.spec.command
    const child = spawn(program!, args, {
      stdio: ['ignore', log, log, 'pipe', 'ipc'],
      env: this.spec.environment,
      serialization: 'json',
      detached: true, // a group of its own: Ctrl-C is for `up`, and what a dead process leaves behind can be found
    })
    closeSync(log)
    this.#child = child
    this.#enter('starting', null)
    const boot = child.stdio[3] as Writable
    boot.on('error', () => {}) // it died before it read; the exit says so
    boot.end(message)
    child.on('message', (message: ToldUp) => {
      if (message.type === 'ready') this.#enter('ready', null)
      else if (message.type === 'wake') this.emit('wake', this.spec.name, message.to)
      else if (message.type === 'request') this.emit('request', message.what, (answer) => this.send({ type: 'answer', id: message.id, answer }), message.names ?? [])
    })
    child.on('error', (error) => this.#log.error({ err: error }, 'could not be started'))
    child.on('exit', () => endGroup(child))
    // one that was started anew meanwhile is another
    child.on('close', (code, signal) => this.#child === child && this.#died(signal ?? `exit ${code}`))
  }

  /** Nobody is there to hear why it cannot be started, e.g. of a secret that others can read: it counts as a death. */
  #startAgain(): void {
    try {
      this.start()
    } catch (error) {
      this.#died((error as Error).message)
    }
  }

  send(message: object): void {
    if (this.#child?.connected) this.#child.send(message, () => {})
  }

  /** Asks the process to finish; after the deadline it is killed. */
  async stop(deadlineMs: number): Promise<void> {
    this.#stopping = true
    this.#stops++
    clearTimeout(this.#timer)
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
    this.send({ type: 'stop', deadlineMs })
    const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs + 500)
    await closed
    clearTimeout(timer)
  }

  /** Ends it and starts it with a new boot message. One that is to be stopped meanwhile stays so, and one that was stopped already is left alone. */
  async restart(deadlineMs: number): Promise<void> {
    if (this.#stopping) return
    const stops = this.#stops + 1
    await this.stop(deadlineMs)
    if (this.#stops === stops) this.#startAgain()
  }

  #died(how: string): void {
    this.#child = undefined
    if (this.#stopping) return this.#enter('stopped', null)
    const now = performance.now()
    this.#deaths = [...this.#deaths.filter((death) => now - death < this.#limits.windowMs), now]
    if (this.#deaths.length >= this.#limits.crashes) {
      this.#log.error({ how }, 'died too often; given up')
      return this.#enter('crashed', `died ${this.#deaths.length} times in ${this.#limits.windowMs / 1000} s (${how}); see ${this.spec.logFile}`)
    }
    this.#restarts++
    const pause = this.#limits.backoffMs[Math.min(this.#deaths.length - 1, this.#limits.backoffMs.length - 1)]!
    this.#log.warn({ how, pause }, 'died; starting it again')
    this.#enter('backoff', how)
    this.#timer = setTimeout(() => this.#startAgain(), pause)
  }

  #enter(state: ProcessState['state'], reason: string | null): void {
    this.#current = { name: this.spec.name, state, pid: this.#child?.pid ?? null, restarts: this.#restarts, reason }
    this.emit('state', this.#current)
  }
}

/** Ends what a process left running, e.g. a sandbox whose outer half was killed: it would hold the descriptors for ever. */
function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // nobody was left
  }
}

const logLimitBytes = 10 * 1024 * 1024

function openLog(path: string): number {
  if (existsSync(path) && statSync(path).size > logLimitBytes) renameSync(path, `${path}.1`)
  return openSync(path, 'a', 0o600)
}
