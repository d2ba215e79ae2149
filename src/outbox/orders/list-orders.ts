import { toFault } from '../../kernel/fault.ts'
import { wordsOfAct, readOutboundAct } from '../acts/outbound-act.ts'
import type { OutboxDeps } from '../change.ts'
import { findFence } from '../fence/fence.ts'
import { dayIn, readStanding } from './check-order.ts'
import { listOrders } from './order-store.ts'

/** Every order that was ever made, the newest first, with whether it counts now and how much of today is left. */
export async function readOrders(deps: OutboxDeps) {
  const now = deps.clock.now()
  const fence = await findFence(deps.database.pool)
  return Promise.all((await listOrders(deps.database.pool)).map(async ({ order, day, used, total }) => {
    const act = readOutboundAct(order.wire)
    const said = act?.kind === 'order.stand' ? act : undefined
    const isOver = said?.expires_at != null && Date.parse(said.expires_at) <= now.getTime()
    const problem = order.revokedAt === null && !isOver ? await readStanding(deps, order).then(() => null, (error: unknown) => toFault(error).message) : null
    return {
      id: order.id,
      name: order.name,
      state: order.revokedAt !== null ? 'revoked' : isOver ? 'expired' : problem !== null ? 'void' : fence ? 'fenced' : 'good',
      /** Why it does not count, though nobody took it back. */
      problem,
      kind: said?.covers.kind ?? null,
      connector: said?.covers.connector ?? null,
      per_day: said?.per_day ?? null,
      /** By the count of the day that is counted now. */
      used_today: said !== undefined && day !== null && day >= dayIn(said.timezone, now) ? used : 0,
      used: total,
      timezone: said?.timezone ?? null,
      level: said?.level ?? null,
      granted_at: order.grantedAt,
      expires_at: said?.expires_at ?? null,
      revoked_at: order.revokedAt,
      /** What it says, all of it, as it was signed. */
      text: said === undefined ? null : wordsOfAct(said),
    } as const
  }))
}
