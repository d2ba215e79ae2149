import type { Clock } from '../kernel/clock.ts'
import type { Database } from '../kernel/database/connect.ts'
import type { Logger } from '../kernel/log.ts'
import type { Refusal } from './delivery.ts'

export interface TallyDeps {
  readonly database: Database
  readonly clock: Clock
  readonly log: Logger
  /** Hears of deliveries to a declared webhook whose signature was not one, or too old. */
  readonly onForged?: ((source: string, reason: 'forged' | 'late') => void) | undefined
}

export interface Tally {
  /** The first of a quiet time is written at once, what follows it together: a flood must not become one of the database. */
  refuse(source: string, reason: Refusal): void
  /** Writes what is not written yet. */
  flush(): Promise<void>
  close(): Promise<void>
}

const togetherMs = 10_000

/** Counts refused deliveries in the database and its audit, without a word of them. A crash loses the count of the last seconds at most. */
export function createTally({ database, clock, log, onForged }: TallyDeps): Tally {
  let waiting = new Map<string, { source: string; reason: Refusal; count: number }>()
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()

  async function write(): Promise<void> {
    const counts = [...waiting.values()]
    waiting = new Map()
    for (const { source, reason, count } of counts) {
      await database.pool.query('select inbound_refuse($1, $2, $3, $4)', [source, reason, count, clock.now()])
        .catch((error: unknown) => log.warn({ err: error, reason, count }, 'refused deliveries could not be counted'))
    }
  }

  const flush = () => (writing = writing.then(write))

  function later(): void {
    timer = setTimeout(() => {
      timer = undefined
      if (waiting.size === 0) return
      void flush()
      later()
    }, togetherMs).unref()
  }

  return {
    refuse(source, reason) {
      if (reason === 'forged' || reason === 'late') onForged?.(source, reason)
      const key = `${source} ${reason}`
      waiting.set(key, { source, reason, count: (waiting.get(key)?.count ?? 0) + 1 })
      if (timer !== undefined) return
      void flush()
      later()
    },
    flush,
    async close() {
      clearTimeout(timer)
      await flush()
    },
  }
}
