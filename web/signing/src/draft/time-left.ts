/** How long something still waits, in words, and how much it presses. */
export interface TimeLeft {
  readonly text: string
  readonly pressing: 'no' | 'soon' | 'now' | 'over'
}

/** Two units at most, and rounded down: nobody is told that he has time which he has not. */
export function timeLeft(until: string, now: number): TimeLeft {
  const seconds = Math.floor((Date.parse(until) - now) / 1000)
  if (seconds <= 0) return { text: 'time is over', pressing: 'over' }
  return { text: spell(seconds), pressing: seconds < 300 ? 'now' : seconds < 3600 ? 'soon' : 'no' }
}

/** `42 s`, `4 min 10 s`, `35 min`, `3 h 5 min`, `2 d 4 h`. */
export function spell(seconds: number): string {
  if (seconds < 60) return `${seconds} s`
  if (seconds >= 600 && seconds < 3600) return `${Math.floor(seconds / 60)} min`
  const [size, name, small, smaller] = seconds < 3600 ? [60, 'min', 1, 's'] as const : seconds < 86_400 ? [3600, 'h', 60, 'min'] as const : [86_400, 'd', 3600, 'h'] as const
  const rest = Math.floor((seconds % size) / small)
  return `${Math.floor(seconds / size)} ${name}${rest === 0 ? '' : ` ${rest} ${smaller}`}`
}

export interface SnoozeChoice {
  readonly name: string
  readonly until: Date
  /** Not before the deadline: sleeping past it would be a silent no. */
  readonly possible: boolean
}

/** One hour, this afternoon, tomorrow morning, in the time of this device. What has passed today is not offered. */
export function snoozeChoices(expiresAt: string, now: Date): SnoozeChoice[] {
  const at = (days: number, hour: number) => new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, hour)
  const choices: [string, Date][] = [['1 hour', new Date(now.getTime() + 3_600_000)]]
  if (now.getHours() < 13) choices.push(['This afternoon', at(0, 14)])
  choices.push(['Tomorrow morning', at(1, 8)])
  return choices.map(([name, until]) => ({ name, until, possible: until.getTime() < Date.parse(expiresAt) }))
}
