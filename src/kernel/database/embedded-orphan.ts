import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Fault } from '../fault.ts'
import type { DatabaseFolder } from './embedded-folder.ts'

/**
 * Ends a server that an earlier Castellan left behind when it was killed, and refuses when the Castellan that started it still runs.
 * A pid that went to some other program since is not touched; the file that names it is removed, since PostgreSQL would trust it.
 * Returns the pid that was stopped.
 */
export async function stopOrphan(folder: DatabaseFolder): Promise<number | undefined> {
  const pidFile = join(folder.data, 'postmaster.pid')
  const pid = existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8').split('\n')[0]) : 0
  if (!(pid > 0) || !isAlive(pid)) return undefined
  if (!isPostmaster(pid, folder.data)) {
    rmSync(pidFile, { force: true })
    return undefined
  }
  const starter = existsSync(folder.starterFile) ? Number(readFileSync(folder.starterFile, 'utf8')) : 0
  // a process whose parent has died belongs to another parent, so an equal pid means that the starter lives
  if (starter === parentOf(pid)) {
    throw new Fault('conflict', 'database.in_use', `the database in ${folder.data} is in use by another Castellan (pid ${starter}); stop that one first with \`castellan down\``, { pid, starter })
  }
  for (const [signal, patienceMs] of [['SIGINT', 15_000], ['SIGQUIT', 5_000], ['SIGKILL', 2_000]] as const) {
    process.kill(pid, signal)
    if (await isGone(pid, patienceMs)) return pid
  }
  throw new Fault('conflict', 'database.orphan', `a database server from an earlier start (pid ${pid}) does not stop; end it with \`kill -9 ${pid}\` and start again`, { pid })
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  return !isZombie(pid)
}

async function isGone(pid: number, patienceMs: number): Promise<boolean> {
  const deadline = performance.now() + patienceMs
  while (performance.now() < deadline) {
    if (!isAlive(pid)) return true
    await delay(10)
  }
  return false
}

/** A postmaster works inside its data folder. */
function isPostmaster(pid: number, data: string): boolean {
  try {
    if (process.platform === 'linux') return readlinkSync(`/proc/${pid}/cwd`) === data
    return ps(pid, 'command').includes(data)
  } catch {
    return false
  }
}

function parentOf(pid: number): number {
  try {
    return process.platform === 'linux' ? Number(statFields(pid)[1]) : Number(ps(pid, 'ppid'))
  } catch {
    return 0
  }
}

/** Ended, but not yet collected by its parent: in a container that may take for ever. */
function isZombie(pid: number): boolean {
  try {
    return process.platform === 'linux' ? statFields(pid)[0] === 'Z' : ps(pid, 'state').startsWith('Z')
  } catch {
    return true
  }
}

/** state, ppid, … : what follows the name in parentheses, which may itself hold anything. */
function statFields(pid: number): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return text.slice(text.lastIndexOf(')') + 2).split(' ')
}

function ps(pid: number, column: string): string {
  return execFileSync('ps', ['-o', `${column}=`, '-p', String(pid)], { encoding: 'utf8' }).trim()
}
