import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Isolation, Sockets } from './boot.ts'

/** What a running `up` tells the CLI, in `$CASTELLAN_HOME/up.json`. */
export interface UpState {
  readonly pid: number
  readonly startedAt: string
  readonly version: string
  readonly house: string
  /** So that the CLI tells times as the schedules mean them. */
  readonly timezone: string
  readonly isolation: Isolation
  readonly sockets: Pick<Sockets, 'server' | 'releaser'>
  readonly ports: Readonly<Record<string, number | null>>
}

export function writeUpState(home: string, state: UpState): void {
  const path = join(home, 'up.json')
  writeFileSync(`${path}.new`, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

export function clearUpState(home: string): void {
  rmSync(join(home, 'up.json'), { force: true })
}

export function readUpState(home: string): UpState | undefined {
  try {
    return JSON.parse(readFileSync(join(home, 'up.json'), 'utf8')) as UpState
  } catch {
    return undefined
  }
}
