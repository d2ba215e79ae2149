import { randomBytes } from 'node:crypto'
import { link, readFile, rename, rm } from 'node:fs/promises'
import { Fault } from '../kernel/fault.ts'
import { readFileSync } from 'node:fs'
import { writeTemporary } from './durable-file.ts'

interface Holder {
  readonly pid: number
  /** When that process started, in the kernel's terms: tells a pid from a later process with the same number. */
  readonly born: string
  /** Tells two holders in one process apart. */
  readonly token: string
}

export interface ExclusiveLock {
  /** Is it still ours? Two that take over from a dead holder at the same instant both get here; the later one wins. */
  held(): Promise<boolean>
  release(): Promise<void>
}

/** Takes a lock file for as long as this process lives. @throws Fault `releaser.running` while a live process holds it */
export async function takeLock(path: string): Promise<ExclusiveLock> {
  const mine: Holder = { pid: process.pid, born: bornAt(process.pid) ?? '', token: randomBytes(8).toString('hex') }
  const temporary = await writeTemporary(path, JSON.stringify(mine))
  try {
    await link(temporary, path)
    await rm(temporary)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    const holder = await readHolder(path)
    if (holder !== undefined && isAlive(holder)) {
      await rm(temporary)
      throw new Fault('conflict', 'releaser.running', `another releaser (process ${holder.pid}) works with ${path}; stop it first`)
    }
    await rename(temporary, path)
  }
  const held = async () => (await readHolder(path))?.token === mine.token
  return {
    held,
    async release() {
      if (await held()) await rm(path, { force: true })
    },
  }
}

async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Holder
  } catch {
    return undefined // a lock that says nothing was left by a crash
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
