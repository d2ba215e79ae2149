import type { Measured } from './side.ts'

/** Keeps `concurrency` callers busy with `work`, one unit after the other, for about so long. Units that began in time are finished and counted. */
export async function keepBusy(concurrency: number, milliseconds: number, work: () => Promise<number | void>): Promise<Measured> {
  const started = performance.now()
  const deadline = started + milliseconds
  let done = 0
  const caller = async () => {
    while (performance.now() < deadline) {
      const finished = (await work()) ?? 1
      done += finished // not `done += await …`, which would read the sum before the wait
    }
  }
  await Promise.all(Array.from({ length: concurrency }, caller))
  return { done, milliseconds: performance.now() - started }
}
