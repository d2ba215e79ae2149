import { Fault } from '../kernel/fault.ts'

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds of `10s`, `72h`, `2m`, `90d`, `250ms`, `1h30m`. A bare 0 is allowed; any other number needs its unit. */
export function parseDuration(text: string): number {
  const parts = [...text.matchAll(/(\d{1,9})(ms|s|m|h|d)/g)]
  if (text === '0') return 0
  if (parts.length === 0 || parts.map((part) => part[0]).join('') !== text) {
    throw new Fault('invalid', 'house.duration', `${JSON.stringify(text)} is not a duration; write a number and a unit, e.g. 10s, 5m, 72h or 90d`)
  }
  return parts.reduce((total, part) => total + Number(part[1]) * units[part[2]!]!, 0)
}

/** The shortest text that `parseDuration` reads as this many milliseconds. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds === 0) return '0'
  const unit = ['d', 'h', 'm', 's', 'ms'].find((name) => milliseconds % units[name]! === 0)!
  return `${milliseconds / units[unit]!}${unit}`
}
