import { spawnSync } from 'node:child_process'

/**
 * A core dump of a process that holds secrets holds them too. Its children inherit the limit. Where there is no such program, the limits of the shell hold.
 * One byte and not none: a program that takes dumps (`core_pattern`) is given them whatever the limit, and at 1 not (fs/coredump.c of Linux).
 */
export function withoutCoreDumps(): void {
  if (process.platform === 'linux') spawnSync('prlimit', [`--pid=${process.pid}`, '--core=1'], { stdio: 'ignore' })
}
