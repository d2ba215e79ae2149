const dayMs = 86_400_000

/** The first moment at which the clocks of a zone show that time (`YYYY-MM-DDTHH:MM`); nothing when they leave it out. */
export function instantOf(local: string, zone: string): Date | undefined {
  const asUtc = Date.parse(`${local}:00Z`)
  // a day before and a day after it the zone has both offsets that can hold for it
  const candidates = [asUtc - dayMs, asUtc + dayMs].map((near) => asUtc - (Date.parse(`${shownIn(zone, near)}:00Z`) - near))
  const found = candidates.filter((instant) => shownIn(zone, instant) === local)
  return found.length === 0 ? undefined : new Date(Math.min(...found))
}

function shownIn(zone: string, instant: number): string {
  const parts = new Intl.DateTimeFormat('en-US', { timeZone: zone, calendar: 'iso8601', hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' }).formatToParts(instant)
  const part = (wanted: string) => parts.find(({ type }) => type === wanted)!.value
  return `${part('year').padStart(4, '0')}-${part('month')}-${part('day')}T${part('hour')}:${part('minute')}`
}
