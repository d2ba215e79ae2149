import { closeSync, readFileSync } from 'node:fs'
import type { Connection } from '../kernel/database/connect.ts'
import type { House } from '../house/index.ts'
import type { SecretReport } from '../secrets/index.ts'

export const processNames = ['server', 'releaser', 'gate-local', 'gate-cloud', 'worker-open', 'worker-private', 'reader'] as const
export type ProcessName = (typeof processNames)[number]

/** How far the processes are kept apart on this machine. */
export interface Isolation {
  readonly mode: 'separate-uids' | 'sandboxed' | 'demonstration'
  readonly detail: string
}

/** Unix sockets; a process gets only those it may use, the others are empty. */
export interface Sockets {
  readonly server: string
  readonly releaser: string
  readonly gateLocal: string
  readonly gateCloud: string
  readonly reader: string
}

/** All that a process is told at its start. Carries secrets, so it comes through a pipe and not through the environment. */
export interface Boot {
  readonly process: ProcessName
  /** The stable name of this executor across restarts, e.g. `worker-open@3f2a9c10`. */
  readonly instance: string
  readonly database: Connection
  /** For what comes in at the outer port: a role that stores and counts. Only of the server, and only where a webhook is declared. */
  readonly listener?: Connection
  readonly home: string
  /** Its own 0700 folder. */
  readonly folder: string
  readonly sockets: Sockets
  readonly house: House
  readonly secrets: Readonly<Record<string, string>>
  /** Names and dates of all of them; only of the server, which reminds the operator. */
  readonly secretReport?: SecretReport
  readonly isolation: Isolation
  readonly faultPoints?: string
}

/** What a process can say to `up`, and hear from it. Wakes are hints: who misses one finds the work by polling. */
export interface Host {
  ready(): void
  wake(process: ProcessName): void
  onWake(listener: () => void): void
  onHouse(listener: (house: House) => void): void
  request(what: 'reload'): Promise<unknown>
  /** Heard from the server alone. */
  request(what: 'secrets', names: readonly string[]): Promise<unknown>
}

/** A started process: stops taking work at once, finishes what it holds, and resolves before the deadline. */
export interface Started {
  stop(deadlineMs: number): Promise<void>
}

const bootDescriptor = 3

/** Reads the boot message to its end and closes the descriptor, so that no child of this process inherits it. */
export function readBoot(): Boot {
  const text = readFileSync(bootDescriptor, 'utf8')
  closeSync(bootDescriptor)
  return JSON.parse(text) as Boot
}
