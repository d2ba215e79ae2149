import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '../../kernel/fault.ts'

/** What `up` writes into `$CASTELLAN_HOME/up.json` while it runs. */
export interface RunningHouse {
  readonly pid: number
  readonly startedAt: string
  readonly house: string
  /** Of the house when it was started. */
  readonly timezone?: string
  readonly isolation: { readonly mode: string; readonly detail: string }
  readonly sockets: { readonly server: string; readonly releaser: string }
  readonly ports: Readonly<Record<string, number>>
}

/** Finds the house that runs on a home. @throws Fault `up.missing`, `up.refused` */
export function findRunningHouse(home: string): RunningHouse {
  try {
    return JSON.parse(readFileSync(join(home, 'up.json'), 'utf8')) as RunningHouse
  } catch (error) {
    if (isRefusal(error)) throw refused(join(home, 'up.json'))
    throw notRunning(home)
  }
}

export function notRunning(home: string): Fault {
  return new Fault('unavailable', 'up.missing', `Castellan is not running here; start it with \`npm start\` or \`castellan up\` (home: ${home})`, { home })
}

export function refused(path: string): Fault {
  return new Fault('refused', 'up.refused', `${path} belongs to another user; run this as the user who started Castellan (with sudo if that was root)`, { path })
}

export function isRefusal(error: unknown): boolean {
  return ['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')
}
