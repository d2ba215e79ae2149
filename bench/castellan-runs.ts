import { randomBytes } from 'node:crypto'
import { pino } from 'pino'
import { systemClock } from '../src/kernel/clock.ts'
import { connect } from '../src/kernel/database/connect.ts'
import { prepareDatabase } from '../src/kernel/database/prepare.ts'
import { roles, type Passwords } from '../src/kernel/database/roles.ts'
import { createQueue, createRunOpener, startWorker } from '../src/jobs/index.ts'
import { declareJobs, jobDefinition } from '../test/support/jobs.ts'
import { keepBusy } from './keep-busy.ts'
import type { OpenSide } from './side.ts'

const log = pino({ level: 'silent' })

/**
 * One-step runs as the server opens them and the private worker executes them: occurrence, run, step, queue job and audit,
 * under their roles. A unit is done when the run is closed.
 */
export const open: OpenSide = async (database) => {
  const passwords = Object.fromEntries(roles.map((role) => [role, randomBytes(12).toString('hex')])) as Passwords
  const owner = connect(database, { max: 1 })
  await prepareDatabase(owner, passwords)
  await declareJobs(owner, [jobDefinition({ name: 'bench' })])
  await owner.close()
  const as = (user: keyof Passwords, max: number) => connect({ ...database, user, password: passwords[user] }, { max })
  const server = as('castellan_server', 8)
  const private_ = as('castellan_worker_private', 4)
  const [serverQueue, workerQueue] = await Promise.all([createQueue(server.pool), createQueue(private_.pool)])
  const openRun = createRunOpener({ database: server, queue: serverQueue })
  let slot = Date.now()

  return {
    async measure(concurrency, milliseconds) {
      const waiting = new Map<string, (outcome: string) => void>()
      const early = new Map<string, string>() // runs that were closed before their opener went on
      const worker = await startWorker(
        {
          database: private_, queue: workerQueue, log, clock: systemClock,
          callStep: async ({ label }) => ({ output: { value: 1 }, label, madeWithoutModel: false }),
          onLeft: (run, { outcome }) => {
            const tell = waiting.get(run)
            if (tell) tell(outcome)
            else early.set(run, outcome)
          },
        },
        { queue: 'runs_private', executor: 'bench', concurrency, pollMs: 1_000 },
      )
      const outcomeOf = (run: string) => {
        const known = early.get(run)
        if (known !== undefined) return known
        return new Promise<string>((resolve) => waiting.set(run, resolve))
      }
      const measured = await keepBusy(concurrency, milliseconds, async () => {
        const { run } = await openRun({ job: 'bench', slot: new Date((slot += 1)), origin: 'manual' })
        worker.wake()
        const outcome = await outcomeOf(run)
        if (outcome !== 'succeeded') throw new Error(`run ${run} ended as ${outcome}`)
        waiting.delete(run)
        early.delete(run)
      })
      await worker.stop(1_000)
      return measured
    },
    async close() {
      await Promise.all([serverQueue.close(), workerQueue.close()])
      await Promise.all([server.close(), private_.close()])
    },
  }
}
