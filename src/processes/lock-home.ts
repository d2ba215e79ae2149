import { linkSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '../kernel/fault.ts'

interface Holder {
  readonly pid: number
  /** When that process started, in the kernel's own terms; tells a pid from a later process with the same number. */
  readonly born: string
}

/** One `up` for each home. @returns what gives the lock back. @throws Fault `up.running` while another holds it. */
export function lockHome(home: string): () => void {
  const path = join(home, 'up.lock')
  const mine: Holder = { pid: process.pid, born: bornAt(process.pid) ?? '' }
  const own = `${path}.${process.pid}`
  writeFileSync(own, JSON.stringify(mine), { mode: 0o600 })
  try {
    linkSync(own, path)
    unlinkSync(own)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    const holder = readHolder(path)
    if (holder !== undefined && isAlive(holder)) {
      unlinkSync(own)
      throw new Fault('conflict', 'up.running', `Castellan already runs on ${home} (process ${holder.pid}); stop it with \`castellan down\``)
    }
    // the holder died; of two that take over at once the later rename wins, and the other one sees it here
    renameSync(own, path)
    if (readHolder(path)?.pid !== process.pid) throw new Fault('conflict', 'up.running', `another \`up\` has just taken ${home}`)
  }
  return () => {
    if (readHolder(path)?.pid === process.pid) unlinkSync(path)
  }
}

/** The live process that holds a home, if there is one. */
export function homeHolder(home: string): number | undefined {
  const holder = readHolder(join(home, 'up.lock'))
  return holder !== undefined && isAlive(holder) ? holder.pid : undefined
}

function readHolder(path: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Holder
  } catch {
    return undefined
  }
}

function isAlive(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  const born = bornAt(holder.pid)
  return born === undefined || born === holder.born
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
