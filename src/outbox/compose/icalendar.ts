import ICAL from 'ical.js'
import { tzlib_get_ical_block as blockOfZone, tzlib_get_timezones as knownZones } from 'timezones-ical-library'
import { Fault } from '../../kernel/fault.ts'
import { draftProperty } from '../acts/ical-lines.ts'
import { instantOf } from './local-time.ts'
import type { Address } from './address.ts'

/** An event in its closed form; texts and addresses were checked. */
export interface EventToWrite {
  readonly title: string
  /** `YYYY-MM-DD`, or `YYYY-MM-DDTHH:MM` in the zone. The end of what takes whole days is its last one. */
  readonly start: string
  readonly end: string
  readonly zone: string | undefined
  readonly place: string | undefined
  readonly text: string | undefined
  readonly attendees: readonly Address[]
  /** Minutes before it begins. */
  readonly reminder: number | undefined
  readonly repeat: { readonly every: 'day' | 'week' | 'month' | 'year'; readonly interval: number; readonly times: number | undefined; readonly until: string | undefined } | undefined
}

export interface EventFrame {
  readonly uid: string
  readonly sequence: number
  /** The draft, by which the event is known again. */
  readonly draft: string
  readonly at: Date
  readonly organizer: Address | undefined
}

const frequencies = { day: 'DAILY', week: 'WEEKLY', month: 'MONTHLY', year: 'YEARLY' } as const

/** The event as iCalendar (RFC 5545), with the rules of its zone. @throws Fault `calendar.zone`, `calendar.time` */
export function writeEvent(event: EventToWrite, { uid, sequence, draft, at, organizer }: EventFrame): string {
  const isAllDay = event.start.length === 10
  const rules = isAllDay || event.zone === 'UTC' ? undefined : rulesOf(event.zone ?? '')
  const zone = rules && String(rules.getFirstPropertyValue('tzid'))
  const calendar = new ICAL.Component('vcalendar')
  calendar.addPropertyWithValue('version', '2.0')
  calendar.addPropertyWithValue('prodid', '-//Castellan//Outbox//EN')
  if (rules) calendar.addSubcomponent(rules)
  const written = new ICAL.Component('vevent')
  written.addPropertyWithValue('uid', uid)
  written.addPropertyWithValue('sequence', sequence)
  written.addPropertyWithValue('dtstamp', utc(at))
  for (const [name, moment] of [['dtstart', event.start], ['dtend', isAllDay ? dayAfter(event.end) : event.end]] as const) {
    const property = written.addPropertyWithValue(name, timeOf(moment, zone))
    if (zone !== undefined) property.setParameter('tzid', zone)
  }
  if (event.repeat) written.addPropertyWithValue('rrule', ruleOf(event.repeat, isAllDay, zone ?? 'UTC'))
  written.addPropertyWithValue('summary', event.title)
  if (event.place !== undefined) written.addPropertyWithValue('location', event.place)
  if (event.text !== undefined) written.addPropertyWithValue('description', event.text)
  if (organizer) addPerson(written, 'organizer', organizer)
  for (const attendee of event.attendees) {
    const property = addPerson(written, 'attendee', attendee)
    property.setParameter('role', 'REQ-PARTICIPANT')
    property.setParameter('partstat', 'NEEDS-ACTION')
    property.setParameter('rsvp', 'TRUE')
  }
  written.addPropertyWithValue(draftProperty.toLowerCase(), draft)
  if (event.reminder !== undefined) written.addSubcomponent(alarmOf(event.reminder, event.title))
  calendar.addSubcomponent(written)
  return `${calendar.toString()}\r\n`
}

function addPerson(event: ICAL.Component, name: string, { name: called, address }: Address): ICAL.Property {
  const property = event.addPropertyWithValue(name, `mailto:${address}`)
  if (called !== '') property.setParameter('cn', called)
  return property
}

/** The rules of a zone, which name it. @throws Fault `calendar.zone` */
function rulesOf(name: string): ICAL.Component {
  // the library prints what it does not know
  const block = knownZones().includes(name) ? blockOfZone(name)[0] : undefined
  if (block === undefined) throw new Fault('invalid', 'calendar.zone', `${JSON.stringify(name)} is no time zone: write e.g. Europe/Berlin, or UTC`)
  return new ICAL.Component(ICAL.parse(block))
}

/** @throws Fault `calendar.time` for a time that its zone leaves out */
function timeOf(moment: string, zone: string | undefined): ICAL.Time {
  if (moment.length === 10) return ICAL.Time.fromDateString(moment)
  if (zone !== undefined && instantOf(moment, zone) === undefined) throw new Fault('invalid', 'calendar.time', `${moment} does not come in ${zone}: the clocks are put forward then`)
  return ICAL.Time.fromDateTimeString(`${moment}:00${zone === undefined ? 'Z' : ''}`)
}

function ruleOf({ every, interval, times, until }: NonNullable<EventToWrite['repeat']>, isAllDay: boolean, zone: string): ICAL.Recur {
  // the end of a rule is in UTC, unless it is about whole days
  const last = until === undefined ? undefined : isAllDay ? ICAL.Time.fromDateString(until) : utc(instantOf(`${until}T23:59`, zone) ?? new Date(`${until}T23:59Z`))
  return ICAL.Recur.fromData({ freq: frequencies[every], ...(interval > 1 && { interval }), ...(times !== undefined && { count: times }), ...(last && { until: last }) })
}

function alarmOf(minutes: number, title: string): ICAL.Component {
  const alarm = new ICAL.Component('valarm')
  alarm.addPropertyWithValue('action', 'DISPLAY')
  alarm.addPropertyWithValue('description', title)
  alarm.addPropertyWithValue('trigger', ICAL.Duration.fromSeconds(-60 * minutes))
  return alarm
}

function utc(at: Date): ICAL.Time {
  return ICAL.Time.fromDateTimeString(`${at.toISOString().slice(0, 19)}Z`)
}

function dayAfter(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10)
}
