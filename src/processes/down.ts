import { setTimeout as delay } from 'node:timers/promises'
import { Fault } from '../kernel/fault.ts'
import { homeHolder } from './lock-home.ts'

const patienceMs = 30_000

/** Asks the `up` of this home to stop and waits until it has. @throws Fault `up.absent`, `up.stuck` */
export async function down(home: string): Promise<{ pid: number }> {
  const pid = homeHolder(home)
  if (pid === undefined) throw new Fault('unavailable', 'up.absent', `Castellan is not running on ${home}`)
  process.kill(pid, 'SIGTERM')
  for (const deadline = performance.now() + patienceMs; homeHolder(home) !== undefined; await delay(50)) {
    if (performance.now() > deadline) {
      throw new Fault('timeout', 'up.stuck', `process ${pid} has not stopped after ${patienceMs / 1000} s; look at ${home}/log/up.log`)
    }
  }
  return { pid }
}
