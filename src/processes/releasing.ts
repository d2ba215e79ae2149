import { toFault } from '../kernel/fault.ts'
import type { OutboxDeps } from '../outbox/change.ts'
import { createLeftovers } from '../outbox/discard-leftovers.ts'
import { dueConnectors, nextMoment } from '../outbox/draft-store.ts'
import { expireDrafts, wakeForgottenRuns } from '../outbox/expire-drafts.ts'
import { recoverDrafts } from '../outbox/recover-drafts.ts'
import { releaseDrafts } from '../outbox/release-drafts.ts'

/** How long until the next look: when nothing is to come, and when something due did not leave; in milliseconds. */
const pause = { usual: 15_000, retry: 1_000 }

export interface ReleasingOptions {
  readonly signal: AbortSignal
  /** Something left: there may be more to do at once. */
  onReleased(): void
  /** A lane failed; one that must not go on ends the process here. */
  onError(error: unknown): void
}

export interface Releasing {
  /** One round: deadlines, and a lane for each connector through which something is due. @returns milliseconds until the next */
  round(): Promise<number>
  /** Resolves when nothing is on its way any more. */
  settled(): Promise<void>
}

/**
 * Does what has its time: deadlines, holds, what a release without a record left behind, and what one that comes to nothing left outside. Through one connector goes one
 * draft after the other; a connector that stalls holds up neither the others nor a deadline.
 */
export function createReleasing(outbox: OutboxDeps, { signal, onReleased, onError }: ReleasingOptions): Releasing {
  const lanes = new Map<string, Promise<void>>()
  const astray = new Set<string>()
  const leftovers = createLeftovers(outbox)

  async function lane(connector: string): Promise<void> {
    try {
      // of its connector nothing is on its way now, so that what looks like it was left behind
      if (astray.delete(connector)) await recoverDrafts(outbox, connector)
      await leftovers.discard(connector, signal)
      const outcome = await releaseDrafts(outbox, signal, connector)
      if (outcome.astray) astray.add(connector)
      if (outcome.released > 0) onReleased()
    } catch (error) {
      astray.add(connector)
      outbox.log.error({ err: error, connector, code: toFault(error).code }, 'releasing failed; trying again')
      onError(error)
    } finally {
      lanes.delete(connector)
    }
  }

  async function round(): Promise<number> {
    await expireDrafts(outbox)
    const due = new Set([...(await dueConnectors(outbox.database.pool, outbox.clock.now())), ...(await leftovers.due()), ...astray])
    for (const connector of due) {
      if (!signal.aborted && !lanes.has(connector)) lanes.set(connector, lane(connector))
    }
    await wakeForgottenRuns(outbox)
    const now = outbox.clock.now()
    const next = await nextMoment(outbox.database.pool, now)
    return Math.min(due.size > 0 ? pause.retry : pause.usual, next === undefined ? pause.usual : next.getTime() - now.getTime())
  }

  return {
    round,
    async settled() {
      while (lanes.size > 0) await Promise.all(lanes.values())
    },
  }
}
