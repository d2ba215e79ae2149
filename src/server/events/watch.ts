import type { EventEmitter } from 'node:events'
import type { Database } from '../../kernel/database/connect.ts'
import type { Logger } from '../../kernel/log.ts'
import { readChanges, runVersions, type Cursor } from './read-changes.ts'
import type { Topic } from './topics.ts'

export interface WatchDeps {
  readonly database: Database
  /** Emits `wake` when something may have happened; without it the next poll finds it. */
  readonly wakes: EventEmitter
  readonly stopping: AbortSignal
  readonly log: Logger
  readonly pollMs?: number
}

export interface Watch {
  /** Calls when something that the page of this run shows has changed. Returns how to end that. */
  run(id: string, changed: () => void): () => void
  /** Calls with what has to be asked again. Resolves when everything that changes from then on will be told, with how to end that. */
  topics(changed: (topics: ReadonlySet<Topic>) => void): Promise<() => void>
}

/** Hints come in bursts; between two looks at the database at least this long. */
const restMs = 50
const defaultPollMs = 1_000

/** One poll of the database for all who listen, and none while nobody does. */
export function createWatch({ database, wakes, stopping, log, pollMs = defaultPollMs }: WatchDeps): Watch {
  const runs = new Map<string, Set<() => void>>()
  const versions = new Map<string, string>()
  const topics = new Set<(topics: ReadonlySet<Topic>) => void>()
  let cursor: Cursor | undefined
  /** The first look is taken: what changes after it is found by the next one. */
  let begun = Promise.withResolvers<void>()
  let polling = false

  async function look(): Promise<void> {
    const watched = [...runs.keys()]
    const [found, changes] = await Promise.all([
      watched.length > 0 ? runVersions(database, watched) : undefined,
      readChanges(database, cursor),
    ])
    cursor = changes.cursor
    for (const [id, version] of found ?? []) {
      if (versions.get(id) === version) continue
      versions.set(id, version)
      for (const changed of runs.get(id) ?? []) changed()
    }
    if (changes.topics.size > 0) for (const changed of topics) changed(changes.topics)
    begun.resolve()
  }

  async function poll(): Promise<void> {
    if (polling) return
    polling = true
    while (!stopping.aborted && runs.size + topics.size > 0) {
      await look().catch((error: unknown) => log.warn({ err: error }, 'could not look for what changed'))
      await pause(restMs, stopping)
      await pause(pollMs - restMs, stopping, wakes)
    }
    polling = false
    cursor = undefined
    begun.resolve()
    begun = Promise.withResolvers()
  }

  return {
    run(id, changed) {
      const listeners = runs.get(id) ?? new Set()
      runs.set(id, listeners.add(changed))
      void poll()
      return () => {
        listeners.delete(changed)
        if (listeners.size > 0) return
        runs.delete(id)
        versions.delete(id)
      }
    },
    async topics(changed) {
      const { promise } = begun
      topics.add(changed)
      void poll()
      await promise
      return () => void topics.delete(changed)
    },
  }
}

/** Until the time is up, the signal aborts, or somebody hints. */
function pause(milliseconds: number, signal: AbortSignal, wakes?: EventEmitter): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      clearTimeout(timer)
      wakes?.off('wake', go)
      signal.removeEventListener('abort', go)
      resolve()
    }
    const timer = setTimeout(go, Math.max(0, milliseconds))
    wakes?.once('wake', go)
    signal.addEventListener('abort', go, { once: true })
  })
}
