import type { Clock } from '../kernel/clock.ts'
import type { Database } from '../kernel/database/connect.ts'
import { Fault } from '../kernel/fault.ts'
import type { PartView, ReadinessView } from './api.ts'

export interface ReadinessDeps {
  readonly database: Database
  readonly clock: Clock
  /** Throws when the schema is not one that this program can work with. */
  checkSchema(database: Database): Promise<void>
  readonly scheduler: { lastTick(): Date | undefined }
}

export interface Readiness {
  look(): Promise<ReadinessView>
  /** From now on it is not ready, whatever its parts say. */
  stopping(): void
}

const answerMs = 2_000
const schemaCodes: ReadonlySet<string> = new Set(['database.not_migrated', 'database.newer'])
/** A scheduler that has not ticked for so long does not see what is due. */
const lateTickMs = 30_000

/** Ready is: the database answers, its schema is ours, and the scheduler ticks. A model that does not answer is not part of it. */
export function createReadiness(deps: ReadinessDeps): Readiness {
  let stopping = false
  return {
    async look() {
      const parts = [...(await databaseParts(deps)), schedulerPart(deps)]
      if (stopping) parts.push({ name: 'server', state: 'stopping', ready: false })
      return { state: parts.every((part) => part.ready) ? 'ready' : 'not_ready', parts }
    },
    stopping() {
      stopping = true
    },
  }
}

async function databaseParts({ database, checkSchema }: ReadinessDeps): Promise<PartView[]> {
  const answers = { name: 'database', state: 'answers', ready: true }
  try {
    await within(answerMs, checkSchema(database))
    return [answers, { name: 'migrations', state: 'up to date', ready: true }]
  } catch (error) {
    if (error instanceof Fault && schemaCodes.has(error.code)) return [answers, { name: 'migrations', state: error.message, ready: false }]
    return [
      { name: 'database', state: 'does not answer', ready: false },
      { name: 'migrations', state: 'unknown', ready: false },
    ]
  }
}

function schedulerPart({ scheduler, clock }: ReadinessDeps): PartView {
  const last = scheduler.lastTick()
  if (last === undefined) return { name: 'scheduler', state: 'has not ticked yet', ready: false }
  const late = clock.now().getTime() - last.getTime() > lateTickMs
  return { name: 'scheduler', state: late ? `last ticked at ${last.toISOString()}` : 'ticks', ready: !late }
}

function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error('too late')), milliseconds)
  return Promise.race([work, late.promise]).finally(() => clearTimeout(timer))
}
