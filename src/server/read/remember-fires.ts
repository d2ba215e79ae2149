import { nextFires } from '../../house/index.ts'

/** The next fires of a schedule after a moment. */
export type Fires = (cron: string, timezone: string, after: Date, count: number) => readonly Date[]

const mostSchedules = 1_000
const keptFires = 5

/** Computing fires in a zone costs half a millisecond, and they stay the same until the first of them has passed. */
export function rememberFires(): Fires {
  const known = new Map<string, { from: Date; fires: readonly Date[] }>()
  return (cron, timezone, after, count) => {
    const key = `${timezone} ${cron}`
    const entry = known.get(key)
    const [first] = entry?.fires ?? []
    if (entry !== undefined && first !== undefined && entry.from <= after && after < first && count <= keptFires) return entry.fires.slice(0, count)
    const fires = nextFires(cron, timezone, after, Math.max(count, keptFires))
    if (known.size >= mostSchedules) known.clear()
    known.set(key, { from: after, fires })
    return fires.slice(0, count)
  }
}
