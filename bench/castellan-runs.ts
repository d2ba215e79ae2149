import { pino } from 'pino'
import { systemClock } from '../src/kernel/clock.ts'
import { createRunOpener, startWorker } from '../src/jobs/index.ts'
import { declareJobs, jobDefinition } from '../test/support/jobs.ts'
import { castellanDatabase } from './castellan-database.ts'
import { keepBusy } from './keep-busy.ts'
import type { OpenSide } from './side.ts'

const log = pino({ level: 'silent' })

/**
 * One-step runs as the server opens them and the private worker executes them: occurrence, run, step, queue job and audit,
 * under their roles. A unit is done when the run is closed.
 */
export const open: OpenSide = async (database) => {
  const { owner, as } = await castellanDatabase(database)
  await declareJobs(owner, [jobDefinition({ name: 'bench' })])
  await owner.close()
  const server = as('castellan_server', 8)
  const private_ = as('castellan_worker_private', 4)
  let wake = () => {}
  const openRun = createRunOpener(server, () => wake())
  let slot = Date.now()

  return {
    async measure(concurrency, milliseconds) {
      const waiting = new Map<string, (outcome: string) => void>()
      const early = new Map<string, string>() // runs that were closed before their opener went on
      const worker = await startWorker(
        {
          database: private_, log, clock: systemClock,
          callStep: async ({ label }) => ({ output: { value: 1 }, label, madeWithoutModel: false }),
          onLeft: (run, { outcome }) => {
            const tell = waiting.get(run)
            if (tell) tell(outcome)
            else early.set(run, outcome)
          },
        },
        { queue: 'runs_private', executor: 'bench', concurrency: Math.max(concurrency, 8), pollMs: 1_000 },
      )
      wake = worker.wake
      const outcomeOf = (run: string) => {
        const known = early.get(run)
        if (known !== undefined) return known
        return new Promise<string>((resolve) => waiting.set(run, resolve))
      }
      const measured = await keepBusy(concurrency, milliseconds, async () => {
        const { run } = await openRun({ job: 'bench', slot: new Date((slot += 1)), origin: 'manual' })
        const outcome = await outcomeOf(run)
        if (outcome !== 'succeeded') throw new Error(`run ${run} ended as ${outcome}`)
        waiting.delete(run)
        early.delete(run)
      })
      await worker.stop(1_000)
      return measured
    },
    async close() {
      await Promise.all([server.close(), private_.close()])
    },
  }
}
