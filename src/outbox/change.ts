import type { PoolClient } from 'pg'
import type { Clock } from '../kernel/clock.ts'
import type { Database } from '../kernel/database/connect.ts'
import { faultPoint } from '../kernel/fault-point.ts'
import type { Fault } from '../kernel/fault.ts'
import type { Logger } from '../kernel/log.ts'
import type { OutboxSettings } from '../house/index.ts'
import type { Connectors } from './connectors/connectors.ts'
import type { Receipt } from './connectors/connector.ts'
import type { Draft, DraftState } from './draft.ts'
import { closeDelivery, moveDraft, wakeWaiting } from './draft-store.ts'
import type { Site } from './keys/assertion.ts'
import type { OperatorKeys } from './operator-keys.ts'
import type { SpentNonces } from './spent-nonces.ts'

/** What the verbs of the outbox stand on. */
export interface OutboxDeps {
  readonly database: Database
  readonly clock: Clock
  readonly log: Logger
  readonly keys: OperatorKeys
  readonly spent: SpentNonces
  /** Of the house as it is now. */
  readonly settings: () => OutboxSettings
  readonly connectors: () => Connectors
  /** Where the operator signs in a browser, by the house as it is now. */
  readonly site: () => Site
  /** Hears after each commit that something about the drafts may be other than before. */
  onChanged?(): void
  /** Hears what was refused, and the connector that the row names: a worker's word until it is looked up. Must neither wait nor throw. */
  onRefused?(fault: Fault, connector: string | undefined, at: 'freeze' | 'decide' | 'release' | 'recover'): void
  /** Hears after the commit of a decision that a run which waited for it is on that queue. */
  onEnqueued?(queue: string, run: string): void
}

/** One transaction of the releaser: what it changes, what it says of it in the audit, and whom it wakes. */
export interface Change {
  readonly client: PoolClient
  readonly now: Date
  audit(kind: string, subject: string, detail: Readonly<Record<string, unknown>>): Promise<void>
  wake(proposal: string): Promise<void>
}

/** Does it all or nothing. The fault points `NAME:before` and `NAME:after` stand around the commit. */
export async function change<T>(deps: OutboxDeps, name: string, work: (change: Change) => Promise<T>): Promise<T> {
  const woken: { run: string; queue: string }[] = []
  const result = await deps.database.transaction(async (client) => {
    const done = await work({
      client,
      now: deps.clock.now(),
      // names, states and hashes: P1
      audit: async (kind, subject, detail) => {
        await client.query('select audit_append($1, $2, $3, 1::smallint)', [kind, subject, JSON.stringify(detail)])
      },
      wake: async (proposal) => void woken.push(...(await wakeWaiting(client, proposal))),
    })
    faultPoint(`${name}:before`)
    return done
  })
  faultPoint(`${name}:after`)
  deps.onChanged?.()
  for (const { queue, run } of woken) deps.onEnqueued?.(queue, run)
  return result
}

const deliveryStates = { released: 'delivered', failed: 'failed', unknown: 'unknown' } as const

export interface Ending {
  /** Castellan's own words: names and states, so that they may stand in the audit. */
  readonly reason?: string | undefined
  /** The words of the operator, or of the outside world; they stay with the draft. */
  readonly words?: string | undefined
  readonly receipt?: Receipt | undefined
}

/** Brings a locked draft to an end: the draft, its delivery, the audit, and the run that waits for it. */
export async function settle(
  { client, now, audit, wake }: Change,
  draft: Pick<Draft, 'id' | 'proposalId' | 'state'>,
  state: Extract<DraftState, 'released' | 'failed' | 'unknown' | 'denied' | 'expired'>,
  { reason, words, receipt }: Ending,
): Promise<void> {
  const why = words ?? reason
  await moveDraft(client, draft.id, state, { ...(why !== undefined && { reason: why }), closedAt: now })
  if (state in deliveryStates) {
    await closeDelivery(client, draft.id, deliveryStates[state as keyof typeof deliveryStates], receipt, now)
  }
  if (state === 'denied') await audit('draft.decided', draft.id, { verdict: 'deny' })
  else await audit(`draft.${state}`, draft.id, { was: draft.state, ...(reason !== undefined && { reason }), ...(receipt && { receipt }) })
  // of what nobody knows the operator still says how it ended
  if (state !== 'unknown') await wake(draft.proposalId)
}
