import { setTimeout as delay } from 'node:timers/promises'
import { batched } from '../kernel/batch.ts'
import { faultPoint } from '../kernel/fault-point.ts'
import type { Database } from '../kernel/database/connect.ts'
import { newestVersion } from '../kernel/database/migrate.ts'
import { Fault } from '../kernel/fault.ts'
import type { Logger } from '../kernel/log.ts'
import {
  advanceRuns,
  claimRuns,
  executeRun,
  lostFences,
  recoverRuns,
  type Advance,
  type AdvanceOutcome,
  type Claim,
  type ExecuteDeps,
  type QueueName,
} from '../runs/index.ts'
import type { Enqueued, Queue } from './queue.ts'

export interface WorkerDeps extends Omit<ExecuteDeps, 'settle'> {
  readonly database: Database
  readonly queue: Queue
  readonly log: Logger
  /** Called when a run went to a queue that another worker serves. */
  readonly onEnqueued?: (queue: QueueName) => void
  /** Called when a run has left this executor, with what became of it. */
  readonly onLeft?: (run: string, outcome: AdvanceOutcome) => void
}

export interface WorkerOptions {
  readonly queue: QueueName
  /** Stable across restarts, so that a restarted worker takes up what its predecessor held. */
  readonly executor: string
  readonly concurrency: number
  /** How long an idle worker waits for a wake before it looks by itself, in milliseconds. */
  readonly pollMs: number
  /** The newest schema that this program knows. */
  readonly schema?: number
}

export interface Worker {
  wake(): void
  stop(deadlineMs: number): Promise<void>
}

const heartbeatMs = 4_000

interface Held {
  readonly claim: Claim
  readonly queueJob: string
  readonly abort: AbortController
}

/** Takes runs from one queue and executes them, up to `concurrency` at a time, until it is stopped. */
export async function startWorker(deps: WorkerDeps, options: WorkerOptions): Promise<Worker> {
  const held = new Map<string, Held>()
  const running = new Set<Promise<void>>()
  const { schema = newestVersion() } = options
  let stopping = false
  /** The database has outgrown this program: what it holds it finishes, but it takes nothing more. */
  let outdated = false
  /** There may be more in the queue than could be taken. */
  let full = false
  let poke = Promise.withResolvers<void>()
  const wake = () => poke.resolve()

  await deps.database.transaction(async (client) => {
    await deps.queue.enqueue(client, await recoverRuns(client, options.executor))
  })

  /**
   * One transaction: queue jobs out, runs claimed, and what cannot be executed here sent where it can.
   * A claim that a crash of the database forgets is made again, under a fence that nobody had before.
   */
  async function take(limit: number): Promise<Held[]> {
    faultPoint('run.claim:before')
    const taken = await deps.database.transaction(async (client) => {
      const jobs = await deps.queue.fetch(client, options.queue, limit)
      if (jobs.length === 0) return []
      const claims = await claimRuns(client, jobs.map((job) => job.data.run_id), options.executor, schema)
      const done: string[] = []
      const mine: Held[] = []
      const elsewhere: Enqueued[] = []
      for (const [index, claim] of claims.entries()) {
        const queueJob = jobs[index]!.id
        // rolls everything back: the runs stay queued and their queue jobs stay in the queue, for a worker that knows more
        if (claim.outcome === 'outdated') throw outgrown(claim.needs, schema)
        if (claim.outcome === 'claimed') {
          mine.push({ claim, queueJob, abort: new AbortController() })
          continue
        }
        done.push(queueJob)
        if (claim.outcome === 'not_cleared') elsewhere.push({ run: jobs[index]!.data.run_id, queue: claim.queue })
        if (claim.outcome === 'dead' && claim.next) elsewhere.push({ run: claim.next, queue: claim.next_queue! })
      }
      await deps.queue.enqueue(client, elsewhere)
      await deps.queue.complete(client, options.queue, done)
      return mine
    }, 'lazy')
    faultPoint('run.claim:after')
    return taken
  }

  /** Stores results, and tells the queue in the same transaction what became of their runs. */
  async function settleAll(items: readonly (Advance & { queueJob: string })[]): Promise<AdvanceOutcome[]> {
    faultPoint('run.advance:before')
    let enqueued: Enqueued[] = []
    const outcomes = await deps.database.transaction(async (client) => {
      const advanced = await advanceRuns(client, items)
      enqueued = advanced.flatMap((outcome, index) => followUps(outcome, items[index]!.claim.run))
      await deps.queue.enqueue(client, enqueued)
      const left = items.filter((_item, index) => advanced[index]!.outcome !== 'next')
      await deps.queue.complete(client, options.queue, left.map(({ queueJob }) => queueJob))
      return advanced
    })
    faultPoint('run.advance:after')
    for (const queue of new Set(enqueued.map((item) => item.queue))) queue === options.queue ? wake() : deps.onEnqueued?.(queue)
    return outcomes
  }
  const settle = batched(settleAll)

  async function execute(item: Held): Promise<void> {
    const log = deps.log.child({ run: item.claim.run, job: item.claim.job })
    try {
      const outcome = await executeRun({ ...deps, settle: (claim, result, log) => settle({ claim, result, log, queueJob: item.queueJob }) }, item.claim, item.abort.signal)
      if (outcome.outcome === 'fence_lost') log.warn('another executor holds this run now; what was done here is not recorded')
      else log.info({ outcome: outcome.outcome }, 'run left this executor')
      deps.onLeft?.(item.claim.run, outcome)
    } catch (error) {
      // the result could not be stored: the queue hands the run out again, and finished steps stay finished
      log.error({ err: error }, 'the database did not take the result; the run will be taken up again')
      await release(item).catch(() => {})
    } finally {
      held.delete(item.claim.run)
    }
  }

  /** Gives one run back at once instead of waiting for its heartbeat to run out. */
  async function release(item: Held): Promise<void> {
    await deps.database.transaction(async (client) => {
      await client.query('select run_release($1, $2)', [item.claim.run, item.claim.fence])
      await deps.queue.enqueue(client, [{ run: item.claim.run, queue: options.queue, delaySeconds: 2 }])
      await deps.queue.complete(client, options.queue, [item.queueJob])
    })
  }

  async function loop(): Promise<void> {
    while (!stopping) {
      poke = Promise.withResolvers<void>()
      const free = outdated ? 0 : options.concurrency - held.size
      if (free > 0) await takeUp(free)
      // what comes meanwhile is told by a wake; a wake that got lost is made good by the next look
      await Promise.race([poke.promise, delay(options.pollMs, undefined, { ref: false })])
    }
  }

  async function takeUp(free: number): Promise<void> {
    try {
      const taken = await take(free)
      full = taken.length === free
      for (const item of taken) {
        held.set(item.claim.run, item)
        const execution = execute(item).finally(() => {
          running.delete(execution)
          if (full) wake()
        })
        running.add(execution)
      }
    } catch (error) {
      outdated = error instanceof Fault && error.code === 'worker.outdated'
      if (outdated) deps.log.fatal((error as Fault).message)
      else deps.log.error({ err: error }, 'could not take runs from the queue; trying again')
    }
  }

  const heartbeat = setInterval(() => {
    if (held.size === 0) return
    const items = [...held.values()]
    void (async () => {
      await deps.queue.touch(options.queue, items.map((item) => item.queueJob))
      for (const run of await lostFences(deps.database.pool, items.map((item) => item.claim))) held.get(run)?.abort.abort()
    })().catch((error: unknown) => deps.log.warn({ err: error }, 'heartbeat failed'))
  }, heartbeatMs).unref()

  const looping = loop()
  return {
    wake,
    async stop(deadlineMs) {
      stopping = true
      wake()
      await looping
      const drained = Promise.allSettled([...running]).then(() => true)
      if (!(await Promise.race([drained, delay(deadlineMs, false, { ref: false })]))) {
        for (const item of held.values()) item.abort.abort()
        await Promise.race([drained, delay(500)])
      }
      clearInterval(heartbeat)
    },
  }
}

function outgrown(needs: number, schema: number): Fault {
  return new Fault('refused', 'worker.outdated', `the database needs a program that knows schema ${needs}, and this worker knows ${schema}; it takes no more runs until it is started again from a newer Castellan`)
}

/** What the queue must hand out because of this outcome. */
function followUps(outcome: AdvanceOutcome, run: string): Enqueued[] {
  switch (outcome.outcome) {
    case 'retry':
      return [{ run, queue: outcome.queue, delaySeconds: outcome.delay }]
    case 'moved':
      return [{ run, queue: outcome.queue }]
    case 'succeeded':
    case 'dead':
      return outcome.next === null ? [] : [{ run: outcome.next, queue: outcome.next_queue! }]
    default:
      return []
  }
}
