import type { Clock } from '../kernel/clock.ts'
import type { Database } from '../kernel/database/connect.ts'
import { faultPoint } from '../kernel/fault-point.ts'
import { newId } from '../kernel/ids.ts'
import type { Logger } from '../kernel/log.ts'
import { nextFires, resolveInput } from '../house/index.ts'
import type { QueueName } from '../runs/index.ts'
import { divideDue, slotsBetween } from './due-slots.ts'
import { readScheduledJobs, type ScheduledJob } from './job-store.ts'
import { createRunOpener } from './open-run.ts'

export interface SchedulerDeps {
  readonly database: Database
  readonly clock: Clock
  readonly log: Logger
  readonly onEnqueued?: (queue: QueueName) => void
}

export interface Scheduler {
  /** Looks once at everything that is due. Safe to call from two schedulers at once: a slot is recorded once. */
  tick(): Promise<void>
  /** Reads the declared jobs again. */
  refresh(): Promise<void>
  start(intervalMs: number): void
  stop(): Promise<void>
  /** When the last tick ended well; undefined before the first. */
  lastTick(): Date | undefined
}

const overdue = '10 minutes'
const sweepMs = 60_000

/** Records every due slot of every job and opens its run, or records why it did not run. */
export function createScheduler(deps: SchedulerDeps): Scheduler {
  const startedAt = deps.clock.now()
  const open = createRunOpener(deps.database, deps.onEnqueued)
  let jobs = new Map<string, ScheduledJob & { cursor: Date; next: Date | undefined }>()
  let lastTick: Date | undefined
  let lastSweep = 0
  let timer: NodeJS.Timeout | undefined
  let ticking: Promise<void> = Promise.resolve()

  async function refresh(): Promise<void> {
    const read = await readScheduledJobs(deps.database)
    jobs = new Map(
      read.map((job) => {
        const known = jobs.get(job.name)
        const cursor = known && known.digest === job.digest && known.cursor > job.lastSlot ? known.cursor : job.lastSlot
        return [job.name, { ...job, cursor, next: firstAfter(job, cursor) }]
      }),
    )
  }

  async function tick(): Promise<void> {
    if (lastTick === undefined) await refresh()
    const now = deps.clock.now()
    await Promise.all([...jobs.values()].map((job) => catchUp(job, now)))
    await sweep()
    lastTick = now
  }

  async function catchUp(job: ScheduledJob & { cursor: Date; next: Date | undefined }, now: Date): Promise<void> {
    while (job.next !== undefined && job.next <= now) await answer(job, now)
  }

  /** Closes or opens every slot of one job up to now, then moves its cursor behind them. */
  async function answer(job: ScheduledJob & { cursor: Date; next: Date | undefined }, now: Date): Promise<void> {
    const slots = slotsBetween(job.schedules, job.cursor, now)
    const due = divideDue(slots, now, job.missed, job.graceMs)
    if (job.paused) {
      await close(job, slots, 'skipped', 'the job was paused')
    } else {
      await close(job, due.missed.filter((slot) => slot < startedAt), 'missed', whileDown(job, startedAt))
      await close(job, due.missed.filter((slot) => slot >= startedAt), 'missed', reasonLate(job))
      for (const slot of due.run) {
        const opened = await open({ job: job.name, slot, origin: 'schedule', ...keyFor(job, slot) })
        if (opened.outcome === 'skipped') deps.log.warn({ job: job.name, slot }, 'slot skipped: the run before it is not finished')
      }
    }
    job.cursor = due.upTo ?? now
    job.next = firstAfter(job, job.cursor)
  }

  async function close(job: ScheduledJob, slots: readonly Date[], state: 'missed' | 'skipped', reason: string): Promise<void> {
    if (slots.length === 0) return
    faultPoint('occurrence.close:before')
    const { rows } = await deps.database.pool.query<{ recorded: number }>(
      'select occurrences_close($1, $2, $3, $4, $5) as recorded',
      [job.name, slots.map(() => newId()), slots, state, reason],
    )
    faultPoint('occurrence.close:after')
    if (rows[0]!.recorded > 0) deps.log.warn({ job: job.name, count: rows[0]!.recorded, reason }, `slots ${state}`)
  }

  /** Hands runs to the queue again that it should have handed out long ago and has lost. */
  async function sweep(): Promise<void> {
    if (performance.now() - lastSweep < sweepMs && lastSweep > 0) return
    lastSweep = performance.now()
    await refresh() // another process may have paused a job
    const { rows } = await deps.database.pool.query<{ queue: QueueName }>('select distinct runs_overdue($1::interval) as queue', [overdue])
    for (const { queue } of rows) deps.onEnqueued?.(queue)
  }

  function again(): void {
    ticking = ticking.then(tick).catch((error: unknown) => {
      deps.log.error({ err: error }, 'the scheduler could not look at what is due; trying again')
    })
  }

  return {
    tick,
    refresh,
    start: (intervalMs) => {
      again()
      timer = setInterval(again, intervalMs)
    },
    stop: async () => {
      clearInterval(timer)
      await ticking
    },
    lastTick: () => lastTick,
  }
}

function firstAfter(job: ScheduledJob, after: Date): Date | undefined {
  const fires = job.schedules.flatMap(({ cron, timezone }) => nextFires(cron, timezone, after, 1))
  return fires.sort((a, b) => a.getTime() - b.getTime())[0]
}

function keyFor(job: ScheduledJob, slot: Date): { key?: string } {
  if (job.idempotencyKey === undefined) return {}
  return { key: String(resolveInput(job.idempotencyKey, { slot: slot.toISOString(), job: { name: job.name } })) }
}

function whileDown(job: ScheduledJob, startedAt: Date): string {
  return `Castellan was not running at that time; it started at ${startedAt.toISOString()} (missed: ${job.missed})`
}

function reasonLate(job: ScheduledJob): string {
  return `found more than ${job.graceMs / 1000} s late: the clock jumped or the machine slept (missed: ${job.missed})`
}
