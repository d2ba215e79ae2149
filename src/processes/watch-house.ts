import { systemClock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/log.ts'
import { createDatabaseLogWatch, createReporter } from '../health/index.ts'
import type { Isolation, ProcessName } from './boot.ts'
import type { KeptDatabase } from './keep-database.ts'
import { startLoop } from './loop.ts'
import type { Supervised } from './supervise.ts'

interface Watched {
  readonly database: Pick<KeptDatabase, 'owner' | 'pid' | 'logFile'>
  readonly processes: ReadonlyMap<ProcessName, Pick<Supervised, 'on'>>
  readonly isolation: Isolation
  readonly log: Logger
}

const lookMs = 1_000

/** Reports what only `up` sees: processes that die, what the log of PostgreSQL says of all of them, and how far apart they are. Returns how it ends. */
export function watchHouse({ database, processes, isolation, log }: Watched): () => Promise<void> {
  const reporter = createReporter({ database: database.owner, clock: systemClock, log })
  for (const child of processes.values()) {
    child.on('state', ({ name, state }) => {
      if (state === 'backoff') reporter.note('process.crashing', name)
      if (state === 'crashed') reporter.note('process.down', name)
      if (state === 'ready') reporter.over('process.down', name)
    })
  }
  if (isolation.mode === 'demonstration') reporter.note('isolation.demonstration', 'processes')
  else reporter.over('isolation.demonstration', 'processes')

  let pid = database.pid()
  const readLog = database.logFile === undefined ? undefined : createDatabaseLogWatch(database.logFile, reporter)
  const loop = startLoop('watching the database', log, async () => {
    const now = database.pid()
    if (now !== undefined && now !== pid) {
      pid = now
      reporter.note('process.crashing', 'database')
    }
    return (await readLog?.()) ?? lookMs
  })
  return async () => {
    await loop.stop()
    await reporter.close()
  }
}
