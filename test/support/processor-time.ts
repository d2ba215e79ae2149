/**
 * Milliseconds of the processor that the work took; waiting for it, on a machine that others keep busy, is no part of them. Only the sum of user and system time is
 * measured: the kernel tells them apart by what it sees at its ticks, which says nothing of a few milliseconds.
 */
export function processorTime(work: () => void): number {
  const started = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(started)
  return (user + system) / 1_000
}
