import { EventEmitter } from 'node:events'
import { chmodSync, chownSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { listenOnSocket, type Listener } from '../kernel/listen.ts'
import type { Logger } from '../kernel/log.ts'
import type { Account } from './accounts.ts'
import type { Boot, ProcessName } from './boot.ts'
import { hearJsonLines, sendJsonLine } from './json-lines.ts'
import type { ProcessState, Supervised, SupervisorEvents, ToldUp } from './supervise.ts'

export interface AttachedSpec {
  readonly name: ProcessName
  /** A socket in a folder of root's, closed until the socket belongs to whom it is for. */
  readonly door: string
  /** Who may come. Its group alone would not do: who may enter a gate's socket is of that group too. */
  readonly admits?: Account
  boot(): Boot
}

/** How long a process may stay away before it counts as given up, at the start and after a death. */
const patienceMs = 60_000

/** A process that a unit of its own starts and restarts: it comes to its door, is told its boot message, and is heard while it stays. */
export class AttachedProcess extends EventEmitter<SupervisorEvents> implements Supervised {
  readonly #spec: AttachedSpec
  readonly #log: Logger
  readonly #patience: number
  #server: Server | undefined
  #socket: Socket | undefined
  #pid: number | undefined
  #timer: NodeJS.Timeout | undefined
  #restarts = -1
  #stopping = false
  #current: ProcessState

  constructor(spec: AttachedSpec, log: Logger, patience = patienceMs) {
    super()
    this.#spec = spec
    this.#log = log.child({ process: spec.name })
    this.#patience = patience
    this.#current = { name: spec.name, state: 'stopped', pid: null, restarts: 0, reason: null }
  }

  get state(): ProcessState {
    return this.#current
  }

  get pid(): number | undefined {
    return this.#pid
  }

  /** Opens the door. A door that cannot be opened is a process that does not run, and is told as one. */
  start(): void {
    const server = createServer((socket) => this.#admit(socket))
    this.#server = server
    this.#enter('starting', null)
    this.#expect(`its unit has not started it; \`systemctl status castellan-${this.#spec.name}\``)
    const listener = {
      server,
      listen: ({ path }: { path?: string }) => new Promise<string>((resolve, reject) => {
        server.once('error', reject)
        server.listen(path, () => resolve(path!))
      }),
    }
    this.#open(listener).catch((error: Error) => {
      this.#log.error({ err: error }, 'its door could not be opened')
      this.#enter('crashed', error.message)
    })
  }

  /** The folder is opened last, and only to pass through: until then nobody but us could have connected. */
  async #open(listener: Listener): Promise<void> {
    const { door, admits } = this.#spec
    await listenOnSocket(listener, door, 'owner')
    if (admits === undefined) return
    chownSync(door, admits.uid, admits.gid)
    chmodSync(dirname(door), 0o710)
  }

  send(message: object): void {
    if (this.#socket !== undefined) sendJsonLine(this.#socket, message)
  }

  /** Asks the process to finish; after the deadline its line is cut, which ends it too. */
  async stop(deadlineMs: number): Promise<void> {
    this.#stopping = true
    clearTimeout(this.#timer)
    this.#server?.close()
    const socket = this.#socket
    if (socket === undefined) return this.#enter('stopped', null)
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
    this.send({ type: 'stop', deadlineMs })
    const given = new AbortController()
    const late = delay(deadlineMs + 500, undefined, { signal: given.signal }).then(() => socket.destroy(), () => {})
    await closed
    given.abort()
    await late
  }

  /** Who is cut off ends as a failure, which its unit makes good, with what systemd reads for it then; one that was asked to end would stay away. */
  async restart(): Promise<void> {
    const socket = this.#socket
    if (socket === undefined) return
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
    socket.destroy()
    await closed
  }

  /** One at a time: a second that comes while the first is there is not the process that `up` knows. */
  #admit(socket: Socket): void {
    socket.on('error', () => {}) // `close` follows
    if (this.#socket !== undefined || this.#stopping) return void socket.destroy()
    this.#socket = socket
    clearTimeout(this.#timer)
    this.#restarts++
    socket.once('close', () => this.#gone())
    hearJsonLines(socket, (message) => this.#hear(message as ToldUp | { type: 'hello'; pid: number }), 64 * 1024)
    this.#enter('starting', null)
    sendJsonLine(socket, { boot: this.#spec.boot() })
  }

  #hear(message: ToldUp | { type: 'hello'; pid: number }): void {
    if (message.type === 'hello') {
      // for whoever looks at `status`; nobody signals what is only said
      this.#pid = Number.isInteger(message.pid) ? message.pid : undefined
      this.#enter(this.#current.state, null)
    } else if (message.type === 'ready') this.#enter('ready', null)
    else if (message.type === 'wake') this.emit('wake', this.#spec.name, message.to)
    else if (message.type === 'request') this.emit('request', message.what, (answer) => this.send({ type: 'answer', id: message.id, answer }), message.names ?? [])
  }

  #gone(): void {
    this.#socket = undefined
    this.#pid = undefined
    if (this.#stopping) return this.#enter('stopped', null)
    this.#log.warn('ended; its unit starts it again')
    this.#enter('backoff', 'ended; its unit starts it again')
    this.#expect(`did not come back; \`systemctl status castellan-${this.#spec.name}\``)
  }

  #expect(reason: string): void {
    this.#timer = setTimeout(() => this.#enter('crashed', reason), this.#patience)
    this.#timer.unref()
  }

  #enter(state: ProcessState['state'], reason: string | null): void {
    this.#current = { name: this.#spec.name, state, pid: this.#pid ?? null, restarts: Math.max(0, this.#restarts), reason }
    this.emit('state', this.#current)
  }
}
