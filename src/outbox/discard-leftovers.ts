import { toFault } from '../kernel/fault.ts'
import { change, type OutboxDeps } from './change.ts'
import type { Connector } from './connectors/connector.ts'
import { noteDiscarded, undiscarded } from './delivery-store.ts'

/** How long after a try that met nobody the next one comes, in milliseconds. */
export const discardAgainMs = 600_000

const patienceMs = 60_000

export interface Leftovers {
  /** The connectors outside of which something may stand that will not be carried out. */
  due(): Promise<string[]>
  /** Takes it away. Nothing may be on its way through that connector: the next draft of the same bytes makes the same ready. */
  discard(connector: string, signal?: AbortSignal): Promise<void>
}

/**
 * What a try made ready outside, and a crash or a server that did not answer left there, is taken away once its approval is gone: whoever denies what waits in its
 * place, or lets it expire, leaves nothing behind that somebody could carry out by hand.
 */
export function createLeftovers(deps: OutboxDeps): Leftovers {
  const notBefore = new Map<string, number>()
  const isTime = (name: string) => (notBefore.get(name) ?? 0) <= deps.clock.now().getTime()

  async function discardOne(connector: Connector, { id, wire }: { id: string; wire: Uint8Array }, stop: AbortSignal[]): Promise<void> {
    const gone = await connector.discard!(wire, AbortSignal.any([AbortSignal.timeout(patienceMs), ...stop]))
    await change(deps, 'draft.discarded', async ({ client, now, audit }) => {
      await noteDiscarded(client, id, now)
      if (gone) await audit('draft.discarded', id, { receipt: gone })
    })
  }

  return {
    async due() {
      const names: string[] = []
      for (const connector of deps.connectors().all()) {
        if (!connector.discard || !isTime(connector.name) || deps.connectors().refusal(connector)) continue
        if ((await undiscarded(deps.database.pool, connector)).length > 0) names.push(connector.name)
      }
      return names
    },
    async discard(name, signal) {
      const connector = deps.connectors().find(name)
      if (!connector?.discard || !isTime(name) || deps.connectors().refusal(connector)) return
      for (const leftover of await undiscarded(deps.database.pool, connector)) {
        if (signal?.aborted) return
        try {
          await discardOne(connector, leftover, signal ? [signal] : [])
        } catch (error) {
          if (toFault(error).code === 'releaser.replaced') throw error
          deps.log.warn({ err: error, draft: leftover.id, connector: name }, 'what a try made ready could not be taken away; trying again later')
          notBefore.set(name, deps.clock.now().getTime() + discardAgainMs)
          return
        }
      }
    },
  }
}
