import { Cron } from 'croner'
import { Fault } from '../kernel/fault.ts'

/**
 * The moment at which a clock in that zone shows `2026-12-01T09:00`. What the clock skips in spring is as long after the gap as it is after its beginning;
 * of an hour that comes twice in autumn it is the first (croner 11).
 * @throws Fault `time.local`
 */
export function localMoment(text: string, timezone: string): Date {
  const [, day, clock, seconds = ':00'] = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d)?$/.exec(text) ?? []
  if (day === undefined || Number.isNaN(Date.parse(`${day}T${clock}${seconds}Z`)) || !new Date(`${day}T00:00:00Z`).toISOString().startsWith(day)) {
    throw new Fault('invalid', 'time.local', `"${text}" is no day and time: write e.g. 2026-12-01T09:00`)
  }
  const found = new Cron(`${day}T${clock}${seconds}`, { timezone, paused: true }).nextRun(new Date(0))
  if (found === null) throw new Fault('invalid', 'time.local', `"${text}" is before 1970; look at its year`)
  return found
}

/** `2026-12-01 09:00 in Europe/Berlin (2026-12-01T08:00:00.000Z)`: as the clock shows it there, and as it is signed. */
export function bothTimes(at: Date, timezone: string): string {
  const local = new Intl.DateTimeFormat('sv-SE', { timeZone: timezone, dateStyle: 'short', timeStyle: 'short' }).format(at)
  return `${local} in ${timezone} (${at.toISOString()})`
}
