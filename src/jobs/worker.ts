import { setTimeout as delay } from 'node:timers/promises'
import { batched } from '../kernel/batch.ts'
import { faultPoint } from '../kernel/fault-point.ts'
import type { Database } from '../kernel/database/connect.ts'
import { newestVersion } from '../kernel/database/migrate.ts'
import { Fault } from '../kernel/fault.ts'
import type { Logger } from '../kernel/log.ts'
import {
  advanceRuns,
  executeRun,
  recoverRuns,
  releaseRun,
  takeRuns,
  touchRuns,
  type Advance,
  type AdvanceOutcome,
  type Claim,
  type ExecuteDeps,
  type LogLine,
  type QueueName,
  type StepResult,
} from '../runs/index.ts'

export interface WorkerDeps extends Omit<ExecuteDeps, 'settle'> {
  readonly database: Database
  readonly log: Logger
  /** Called when a run went to a queue that another worker serves. */
  readonly onEnqueued?: (queue: QueueName) => void
  /** Called with what a step logged, whether or not the database takes it. Must neither wait nor throw. */
  readonly onLogged?: (claim: Claim, result: StepResult, lines: readonly LogLine[]) => void
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
/** Small enough that two share the work of a crowd between two processors. */
const batchSize = 16
const batchesAtOnce = 2

interface Held {
  readonly claim: Claim
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

  await recoverRuns(deps.database, options.executor)

  async function take(limit: number): Promise<Held[]> {
    faultPoint('run.claim:before')
    const claims = await takeRuns(deps.database, { queue: options.queue, limit, executor: options.executor, schema })
    faultPoint('run.claim:after')
    return claims.map((claim) => ({ claim, abort: new AbortController() }))
  }

  const settle = batched(async (advances: readonly Advance[]): Promise<AdvanceOutcome[]> => {
    faultPoint('run.advance:before')
    const outcomes = await advanceRuns(deps.database, advances)
    faultPoint('run.advance:after')
    for (const queue of new Set(outcomes.flatMap(enqueuedBy))) queue === options.queue ? wake() : deps.onEnqueued?.(queue)
    return outcomes
  }, batchSize, batchesAtOnce)

  async function execute(item: Held): Promise<void> {
    const log = deps.log.child({ run: item.claim.run, job: item.claim.job })
    const settleStep: ExecuteDeps['settle'] = (claim, result, lines) => {
      deps.onLogged?.(claim, result, lines)
      return settle({ claim, result, log: lines })
    }
    try {
      const outcome = await executeRun({ ...deps, settle: settleStep }, item.claim, item.abort.signal)
      if (outcome.outcome === 'fence_lost') log.warn('another executor holds this run now; what was done here is not recorded')
      else log.info({ outcome: outcome.outcome }, 'run left this executor')
      deps.onLeft?.(item.claim.run, outcome)
    } catch (error) {
      // the result could not be stored: the queue hands the run out again, and finished steps stay finished
      log.error({ err: error }, 'the database did not take the result; the run will be taken up again')
      // gives it back at once instead of waiting for its heartbeat to run out
      await releaseRun(deps.database, item.claim).catch(() => {})
    } finally {
      if (held.get(item.claim.run) === item) held.delete(item.claim.run)
    }
  }

  async function loop(): Promise<void> {
    while (!stopping) {
      poke = Promise.withResolvers<void>()
      const free = outdated ? 0 : options.concurrency - held.size
      if (free > 0) await takeUp(Math.min(free, batchSize))
      if (full && held.size < options.concurrency && !outdated) continue
      // what comes meanwhile is told by a wake; a wake that got lost is made good by the next look
      const look = setTimeout(wake, options.pollMs).unref()
      await poke.promise
      clearTimeout(look)
    }
  }

  async function takeUp(free: number): Promise<void> {
    try {
      const taken = await take(free)
      full = taken.length === free
      for (const item of taken) {
        // its own run again: this machine slept, and the queue took it for dead; the older fence is void
        held.get(item.claim.run)?.abort.abort()
        held.set(item.claim.run, item)
        const execution = execute(item).finally(() => {
          running.delete(execution)
          if (full) wake()
        })
        running.add(execution)
      }
    } catch (error) {
      full = false
      outdated = error instanceof Fault && error.code === 'worker.outdated'
      if (outdated) deps.log.fatal((error as Fault).message)
      else deps.log.error({ err: error }, 'could not take runs from the queue; trying again')
    }
  }

  const heartbeat = setInterval(() => {
    if (held.size === 0) return
    const asked = new Map(held)
    touchRuns(deps.database, [...asked.values()].map((item) => item.claim)).then(
      (lost) => {
        for (const run of lost) asked.get(run)?.abort.abort()
      },
      (error: unknown) => deps.log.warn({ err: error }, 'heartbeat failed'),
    )
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

/** The queue that has work now because of this outcome. */
function enqueuedBy(outcome: AdvanceOutcome): QueueName[] {
  switch (outcome.outcome) {
    case 'moved':
      return [outcome.queue]
    case 'retry':
      return outcome.delay === 0 ? [outcome.queue] : []
    case 'succeeded':
    case 'dead':
      return outcome.next_queue === undefined ? [] : [outcome.next_queue]
    default:
      return []
  }
}
