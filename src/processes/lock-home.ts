import { join } from 'node:path'
import { Fault } from '../kernel/fault.ts'
import { holderOf, takeProcessLock } from '../kernel/process-lock.ts'

/** One `up` for each home. @returns what gives the lock back. @throws Fault `up.running` while another holds it */
export function lockHome(home: string): () => void {
  const { release } = takeProcessLock(lockFile(home), (pid) =>
    new Fault('conflict', 'up.running', `Castellan already runs on ${home} (process ${pid}); stop it with \`castellan down\``))
  return release
}

/** The live process that holds a home, if there is one. */
export function homeHolder(home: string): number | undefined {
  return holderOf(lockFile(home))
}

function lockFile(home: string): string {
  return join(home, 'up.lock')
}
