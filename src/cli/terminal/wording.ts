/** Amounts, times and names as people read them. */

/** Now, and the zone that times are told in: the house's while it runs, so that they agree with its schedules; else the terminal's. */
export interface Here {
  readonly now: Date
  readonly timezone: string | undefined
}

/** The end of an id: of a UUIDv7 the part that tells ids of the same minute apart. */
export function shortId(id: string): string {
  return id.slice(-8)
}

/** `0.4 s`, `2 min 5 s`, `3 h 10 min`, `2 d 4 h`. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1000
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  if (seconds < 60) return `${Math.round(seconds)} s`
  const units: [number, string, string][] = [[86_400, 'd', 'h'], [3_600, 'h', 'min'], [60, 'min', 's']]
  const [size, name, smaller] = units.find(([size]) => seconds >= size)!
  const below = { d: 3_600, h: 60, min: 1 }[name as 'd' | 'h' | 'min']
  const whole = Math.floor(seconds / size)
  const rest = Math.floor((seconds - whole * size) / below)
  return rest === 0 ? `${whole} ${name}` : `${whole} ${name} ${rest} ${smaller}`
}

/** How far off a moment is: `in 3 h 10 min`, `5 min ago`. */
export function distance(at: string, { now }: Here): string {
  const milliseconds = Date.parse(at) - now.getTime()
  return milliseconds >= 0 ? `in ${duration(milliseconds)}` : `${duration(-milliseconds)} ago`
}

/** `07:10` on the same day, `Fri 20 Nov 07:10` within the year, the whole date otherwise. */
export function moment(at: string, { now, timezone }: Here): string {
  const part = partsOf(new Date(at), timezone)
  const today = partsOf(now, timezone)
  if (part.date === today.date) return part.time
  return part.year === today.year ? `${part.weekday} ${part.day} ${part.month} ${part.time}` : `${part.date} ${part.time}`
}

/** `EUR 0.00`; small sums keep the digits that matter. Null: nobody knows. */
export function money(eur: number | null): string {
  if (eur === null) return 'unknown price'
  return `EUR ${eur > 0 && eur < 0.01 ? eur.toFixed(4) : eur.toFixed(2)}`
}

/** `1 draft`, `3 drafts`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}

/** `812 B`, `14.2 kB`. */
export function bytes(size: number): string {
  if (size < 1000) return `${size} B`
  const units = ['kB', 'MB', 'GB']
  const power = Math.min(Math.floor(Math.log10(size) / 3), units.length)
  return `${(size / 1000 ** power).toFixed(1)} ${units[power - 1]}`
}

/** `P2 internal, untrusted`. */
export function labelWords(label: { word: string; integrity: string }): string {
  return label.integrity === 'untrusted' ? `${label.word}, untrusted` : label.word
}

/** `2 snoozed until 16:00 (castellan draft list --snoozed)`: the moment at which the first of them is back. No line when none is. */
export function snoozedLine(until: readonly string[], here: Here): string[] {
  if (until.length === 0) return []
  return [`${until.length} snoozed until ${moment([...until].sort()[0]!, here)} (castellan draft list --snoozed)`]
}

function partsOf(time: Date, timezone: string | undefined) {
  const format = new Intl.DateTimeFormat('en-GB', {
    year: 'numeric', month: 'short', day: 'numeric', weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone: timezone,
  })
  const part = Object.fromEntries(format.formatToParts(time).map(({ type, value }) => [type, value])) as Record<string, string>
  const numeric = new Intl.DateTimeFormat('sv-SE', { timeZone: timezone, dateStyle: 'short' }).format(time)
  return { year: part.year!, month: part.month!, day: part.day!, weekday: part.weekday!, time: `${part.hour}:${part.minute}`, date: numeric }
}
