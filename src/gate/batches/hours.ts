import type { BatchSettings } from '../../house/index.ts'

/** Is this one of the hours in which batches are worked on? */
export function isWithin(hours: BatchSettings['hours'], now: Date, timezone: string): boolean {
  if (hours === null) return true
  const { from, to } = hours
  const minute = minuteOf(now, timezone)
  return from < to ? minute >= from && minute < to : minute >= from || minute < to
}

function minuteOf(now: Date, timezone: string): number {
  const [hours, minutes] = new Intl.DateTimeFormat('en-GB', { timeZone: timezone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(now).split(':').map(Number)
  return hours! * 60 + minutes!
}
