import { z } from 'zod'
import { Fault } from '../../kernel/fault.ts'
import { readAddress, type Address } from './address.ts'
import type { EventToWrite } from './icalendar.ts'
import { readBody, refuseControls } from './text.ts'

const moment = z.string().regex(/^\d{4}-\d\d-\d\d(?:T\d\d:\d\d)?$/, 'a time is written 2026-03-02T10:00, a whole day 2026-03-02')
const day = z.string().regex(/^\d{4}-\d\d-\d\d$/, 'a day is written 2026-03-02')

/** What may be said of an event. */
export const eventFields = {
  title: z.string().min(1).max(200),
  start: moment,
  end: moment,
  zone: z.string().max(64).nullish(),
  place: z.string().min(1).max(300).nullish(),
  text: z.string().max(8_000).nullish(),
  attendees: z.array(z.string().max(400)).max(50).default([]),
  reminder: z.int().min(0).max(40_320).nullish(),
  repeat: z.strictObject({ every: z.enum(['day', 'week', 'month', 'year']), interval: z.int().min(1).max(99).default(1), times: z.int().min(2).max(500).optional(), until: day.optional() }).nullish(),
}

/** An event whose parts agree with each other. @throws Fault `calendar.time`, `calendar.zone`, `calendar.repeat`, `mail.control`, `mail.address` */
export function readEvent(said: z.infer<z.ZodObject<typeof eventFields>>): EventToWrite {
  const { title, start, end, repeat, reminder } = said
  refuseControls('title', title)
  if (said.place != null) refuseControls('place', said.place)
  for (const one of [start, end]) checkMoment(one)
  if (start.length !== end.length) throw new Fault('invalid', 'calendar.time', 'start and end are both times, or both whole days')
  if (start.length === 10 ? end < start : end <= start) throw new Fault('invalid', 'calendar.time', `it would end (${end}) before it begins (${start})`)
  if ((start.length === 10) !== (said.zone == null)) {
    throw new Fault('invalid', 'calendar.zone', start.length === 10 ? 'whole days have no zone: leave it out' : 'a time needs its zone: write e.g. zone: Europe/Berlin, or UTC')
  }
  if (repeat?.until !== undefined) checkMoment(repeat.until)
  if (repeat && ((repeat.times === undefined) === (repeat.until === undefined) || (repeat.until !== undefined && repeat.until < start.slice(0, 10)))) {
    throw new Fault('invalid', 'calendar.repeat', 'what repeats has an end: say either how many times, or until which day after its start')
  }
  return {
    title, start, end, zone: said.zone ?? undefined, place: said.place ?? undefined, text: said.text == null || said.text.trim() === '' ? undefined : readBody('text', said.text), reminder: reminder ?? undefined,
    attendees: readAttendees(said.attendees), repeat: repeat ? { every: repeat.every, interval: repeat.interval, times: repeat.times, until: repeat.until } : undefined,
  }
}

function readAttendees(written: readonly string[]): Address[] {
  const people = written.map((one, index) => readAddress(`attendees.${index}`, one))
  const twice = people.find(({ address }, index) => people.findIndex((other) => other.address === address) !== index)
  if (twice) throw new Fault('invalid', 'mail.address', `${twice.address} would take part twice; name each once`)
  return people
}

function checkMoment(written: string): void {
  const whole = written.length === 10 ? `${written}T00:00` : written
  const date = new Date(`${whole}:00Z`)
  if (Number.isNaN(date.getTime()) || date.toISOString().slice(0, 16) !== whole) throw new Fault('invalid', 'calendar.time', `${written} is not in the calendar`)
  // iCalendar writes a year in four digits, and of whole days the one after the last
  if (date.getUTCFullYear() < 1_000 || date.getUTCFullYear() > 9_998) throw new Fault('invalid', 'calendar.time', `${written} cannot be written down: events are in the years 1000 to 9998`)
}
