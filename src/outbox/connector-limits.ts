import type { ConnectorLimits } from '../house/index.ts'
import type { Change, OutboxDeps } from './change.ts'
import { lastRelease, type Draft } from './draft.ts'
import { releaseCountedBack } from './delivery-store.ts'
import { moveDraft, type Queryable } from './draft-store.ts'

const hourMs = 3_600_000
const spans = { hour: hourMs, day: 24 * hourMs } as const

export interface NoRoom {
  readonly until: Date
  /** `10 an hour` */
  readonly limit: string
}

/** From when on there is room again for one more, counted from what the database knows as delivered; nothing when there is now. */
export async function noRoom(query: Queryable, connector: string, limits: ConnectorLimits, now: Date): Promise<NoRoom | undefined> {
  let latest: NoRoom | undefined
  for (const span of ['hour', 'day'] as const) {
    const most = limits[span]
    if (most === undefined) continue
    const at = await releaseCountedBack(query, connector, most, new Date(now.getTime() - spans[span]), now)
    const until = at && new Date(at.getTime() + spans[span])
    if (until && (latest === undefined || until > latest.until)) latest = { until, limit: `${most} ${span === 'hour' ? 'an hour' : 'a day'}` }
  }
  return latest
}

const prefix = 'there is no room yet: '

/** Holds a locked draft on while its connector is at its limit. It can be undone until then; its signature lasts no longer by it. */
export async function holdForRoom(deps: Pick<OutboxDeps, 'settings'>, { client, now, audit }: Change, draft: Draft): Promise<boolean> {
  const settings = deps.settings()
  const limits = settings.connectors.find(({ name }) => name === draft.connector)?.limits
  const full = limits && (await noRoom(client, draft.connector, limits, now))
  if (!full) return false
  const last = lastRelease(draft, settings.holdMs)
  const inTime = full.until < last
  const reason = `${prefix}through ${draft.connector} leave ${full.limit} at most; ${inTime ? `it leaves at ${full.until.toISOString()}` : `there is room at ${full.until.toISOString()}, and its signature ends at ${last.toISOString()}: raise the limit before, or have it proposed again`}`
  await moveDraft(client, draft.id, 'held', { holdUntil: inTime ? full.until : last, reason })
  // one that waits for room through many rounds is recorded once
  if (!draft.reason?.startsWith(prefix)) await audit('draft.held', draft.id, { reason, next: full.until })
  return true
}
