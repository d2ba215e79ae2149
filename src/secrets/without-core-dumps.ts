import { spawnSync } from 'node:child_process'

/** A core dump of a process that holds secrets holds them too. Its children inherit the limit. Where there is no such program, the limits of the shell hold. */
export function withoutCoreDumps(): void {
  if (process.platform === 'linux') spawnSync('prlimit', [`--pid=${process.pid}`, '--core=0'], { stdio: 'ignore' })
}
