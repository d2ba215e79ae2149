import { useEffect, useState } from 'react'

/** The time of the releaser, renewed every so many milliseconds while the page is looked at. */
export function useClock(now: () => number, every = 1000): number {
  const [time, setTime] = useState(now)
  useEffect(() => {
    const timer = setInterval(() => setTime(now()), every)
    return () => clearInterval(timer)
  }, [now, every])
  return time
}

const sameDay = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const otherDay = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' })
const otherYear = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' })

/** `14:05:11` today, `Fri, 20 Nov, 14:05` this year. */
export function moment(at: string | Date, now = new Date()): string {
  const time = new Date(at)
  if (time.toDateString() === now.toDateString()) return sameDay.format(time)
  return (time.getFullYear() === now.getFullYear() ? otherDay : otherYear).format(time)
}

/** `812 B`, `14.2 kB`. */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  const power = Math.min(Math.floor(Math.log10(bytes) / 3), 3)
  return `${(bytes / 1000 ** power).toFixed(1)} ${['kB', 'MB', 'GB'][power - 1]}`
}
