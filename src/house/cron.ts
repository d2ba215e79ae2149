import { Cron } from 'croner'
import { Fault } from '../kernel/fault.ts'

/**
 * The next `count` fires of a cron expression (5 fields, or 6 with seconds) after a moment, in an IANA zone.
 * In a gap of the zone a fixed time fires after the gap, in a repeated hour once (croner 11). Empty when there are no more.
 */
export function nextFires(cron: string, timezone: string, after: Date, count: number): Date[] {
  return parse(cron, timezone).nextRuns(count, after)
}

/** Why this schedule cannot be used, or nothing. An expression that never fires is one of the reasons. */
export function scheduleProblem(cron: string, timezone: string, now: Date = new Date()): { what: string; instead: string } | undefined {
  if (!isTimezone(timezone)) return { what: `there is no time zone ${timezone}`, instead: 'write an IANA name, e.g. Europe/Berlin or UTC' }
  try {
    if (nextFires(cron, timezone, now, 1).length === 0) {
      return { what: `the schedule "${cron}" never fires: no date matches it`, instead: 'choose a day that the month has, e.g. "0 9 L 2 *" for the last day of February' }
    }
  } catch (error) {
    return { what: (error as Error).message, instead: 'write minute, hour, day of month, month, day of week, e.g. "10 7 * * 1-5" for 07:10 from Monday to Friday' }
  }
  return undefined
}

/** Is this the name of a zone, e.g. `Europe/Berlin`? Offsets such as `+02:00` are not: they do not know summer time. */
export function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return !/^[+-]/.test(name)
  } catch {
    return false
  }
}

function parse(cron: string, timezone: string): Cron {
  try {
    return new Cron(cron, { timezone, paused: true, mode: '5-or-6-parts' })
  } catch (error) {
    throw new Fault('invalid', 'house.cron', `"${cron}" is not a schedule: ${(error as Error).message.replace(/^CronPattern: /, '')}`, { cron, timezone }, error)
  }
}
