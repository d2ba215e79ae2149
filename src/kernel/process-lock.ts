import { randomBytes } from 'node:crypto'
import { linkSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import type { Fault } from './fault.ts'

interface Holder {
  readonly pid: number
  /** When that process started, in the kernel's own terms; tells a pid from a later process with the same number. */
  readonly born: string
  /** Tells two holders in one process apart. */
  readonly token: string
}

export interface ProcessLock {
  /** Is it still ours? Somebody may have removed or replaced the file. */
  held(): boolean
  release(): void
}

/** `left`: its holder died, or a crash tore it before it said whose it is. */
type Found = { state: 'free' } | { state: 'left' } | { state: 'held'; holder: Holder }

/**
 * Takes a lock file for as long as this process lives, over one that a dead process left.
 * @param taken makes the Fault that is thrown while a live process, or we ourselves, hold it
 */
export function takeProcessLock(path: string, taken: (pid: number) => Fault): ProcessLock {
  const mine: Holder = { pid: process.pid, born: bornAt(process.pid) ?? '', token: randomBytes(8).toString('hex') }
  const own = `${path}.${mine.token}`
  const held = () => {
    const found = look(path)
    return found.state === 'held' && found.holder.token === mine.token
  }
  writeFileSync(own, JSON.stringify(mine), { mode: 0o600, flag: 'wx' })
  try {
    if (!link(own, path)) takeOver(own, path, taken)
  } finally {
    rmSync(own, { force: true })
  }
  if (!held()) throw taken(holderOf(path) ?? 0)
  return {
    held,
    release: () => {
      if (held()) unlinkSync(path)
    },
  }
}

/** The live process that holds this lock file, if there is one. */
export function holderOf(path: string): number | undefined {
  const found = look(path)
  return found.state === 'held' ? found.holder.pid : undefined
}

/**
 * Of several that find the same dead holder one takes its place: whoever has the turn looks again, so that it never
 * removes the file of one that was faster.
 */
function takeOver(own: string, path: string, taken: (pid: number) => Fault): void {
  const refuseWhileHeld = (file: string) => {
    const found = look(file)
    if (found.state === 'held') throw taken(found.holder.pid)
    return found.state
  }
  refuseWhileHeld(path)
  const turn = `${path}.turn`
  for (; !link(own, turn); rmSync(turn, { force: true })) refuseWhileHeld(turn)
  try {
    if (refuseWhileHeld(path) === 'left') unlinkSync(path)
    if (!link(own, path)) throw taken(holderOf(path) ?? 0)
  } finally {
    rmSync(turn, { force: true })
  }
}

/** Gives a file a second name, unless that name is taken. */
function link(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function look(path: string): Found {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { state: 'free' }
    throw error
  }
  const holder = parse(text)
  return holder !== undefined && isAlive(holder) ? { state: 'held', holder } : { state: 'left' }
}

function parse(text: string): Holder | undefined {
  try {
    const holder = JSON.parse(text) as Holder | null
    return Number(holder?.pid) > 0 ? holder! : undefined
  } catch {
    return undefined
  }
}

function isAlive({ pid, born }: Holder): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  const seen = bornAt(pid)
  return seen === undefined || seen === born
}

/** Field 22 of /proc/PID/stat, ticks since boot; undefined where there is no /proc. */
function bornAt(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}
