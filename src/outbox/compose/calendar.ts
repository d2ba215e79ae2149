import { z } from 'zod'
import { Fault } from '../../kernel/fault.ts'
import { peopleOf, titleOfEvent } from '../acts/event-words.ts'
import { componentsOf, icalLines, textValue } from '../acts/ical-lines.ts'
import { showAddress, type Address } from './address.ts'
import { eventFields, readEvent } from './calendar-event.ts'
import type { Composed, Finding, Frame } from './composed.ts'
import { composeOutbound, readPayload } from './outbound.ts'

const resource = z.string().regex(/^(?!\.{1,2}$)[A-Za-z0-9_.~@+=!$&'()-]{1,250}$/, 'an event is named by its resource in the calendar, e.g. 0195….ics')
const createSchema = z.strictObject(eventFields)
const changeSchema = z.strictObject({ event: resource, ...eventFields })
const deleteSchema = z.strictObject({ event: resource })

/** The one calendar, and what a dry run finds in it. */
export interface CalendarToChange {
  readonly calendar: string
  /** In whose name others are invited. @throws Fault `mail.address` */
  organizer(): Address | undefined
  /** What stands at a resource: its bytes as text, and their version. @throws Fault when there is none */
  look(resource: string): Promise<{ readonly text: string; readonly etag: string }>
  /** Does the server say that it tells those who take part? */
  tells(): Promise<boolean>
}

/** What is in somebody's calendar may be anybody's words. */
const ofCalendars = { level: 2, integrity: 'untrusted', lanes: [] } as const

/** An event that is to be there. @throws Fault `draft.payload`, `calendar.*`, `mail.*` */
export async function composeCalendarCreate(payload: unknown, frame: Frame, place: CalendarToChange): Promise<Composed> {
  const event = readEvent(readPayload(createSchema, payload, 'event'))
  // the tables of zones are loaded by a house that writes events, and by no other
  const { writeEvent } = await import('./icalendar.ts')
  const text = writeEvent(event, { uid: frame.id, sequence: 0, draft: frame.id, at: frame.at, organizer: organizerFor(event.attendees, place) })
  return composed({ kind: 'calendar.create', resource: `${frame.id}.ics`, event: text, before: null, etag: null }, frame, place, event.attendees,
    'Afterwards: `castellan draft undo` deletes it, as long as nobody changed it since.')
}

/** An event in the place of one that is there. @throws Fault `draft.payload`, `calendar.*`, `mail.*` */
export async function composeCalendarChange(payload: unknown, frame: Frame, place: CalendarToChange): Promise<Composed> {
  const { event: name, ...said } = readPayload(changeSchema, payload, 'change of an event')
  const event = readEvent(said)
  const { text: before, etag } = await place.look(name)
  const { uid, sequence } = identityOf(name, before)
  const { writeEvent } = await import('./icalendar.ts')
  const text = writeEvent(event, { uid, sequence: sequence + 1, draft: frame.id, at: frame.at, organizer: organizerFor(event.attendees, place) })
  return composed({ kind: 'calendar.change', resource: name, event: text, before, etag }, frame, place, event.attendees,
    'Afterwards: `castellan draft undo` puts back what stood there, byte for byte, as long as nobody changed it since.')
}

/** An event that is not to be there any more. @throws Fault `draft.payload`, `calendar.*` */
export async function composeCalendarDelete(payload: unknown, frame: Frame, place: CalendarToChange): Promise<Composed> {
  const { event: name } = readPayload(deleteSchema, payload, 'deletion of an event')
  const { text: before, etag } = await place.look(name)
  identityOf(name, before)
  return composed({ kind: 'calendar.delete', resource: name, event: null, before, etag }, frame, place, [],
    'Afterwards: `castellan draft undo` puts it back, byte for byte, as long as nothing else took its place.')
}

interface Words {
  readonly kind: 'calendar.create' | 'calendar.change' | 'calendar.delete'
  readonly resource: string
  readonly event: string | null
  readonly before: string | null
  readonly etag: string | null
}

async function composed(act: Words, frame: Frame, { calendar, tells }: CalendarToChange, attendees: readonly Address[], undo: string): Promise<Composed> {
  const before = act.before === null ? [] : peopleOf(act.before, { isOwn: false })
  const others = [...attendees.map(showAddress), ...before.filter((one) => !attendees.some(({ address }) => address.toLowerCase() === one))]
  const telling = others.length === 0 ? 'nobody' : (await tells()) ? 'server' : 'unknown'
  const findings: Finding[] = [
    ...(others.length === 0 ? [] : [{ add: 2, why: `it is about ${others.length} other${others.length === 1 ? '' : 's'}, whom the server ${telling === 'server' ? 'tells' : 'may tell'} of it in your name` }]),
    ...(act.before !== null && componentsOf(icalLines(act.before), 'VEVENT').length > 1 ? [{ add: 1, why: 'single dates of it were changed before, and go with the rest' }] : []),
  ]
  const verb = { 'calendar.create': 'New event', 'calendar.change': 'Change an event', 'calendar.delete': 'Delete an event' }[act.kind]
  const made = composeOutbound({ ...act, calendar, tells: telling }, frame, {
    title: `${verb}: ${titleOfEvent(act.event ?? act.before ?? '')}`, to: [`calendar ${new URL(calendar).host}${new URL(calendar).pathname}`, ...others],
    undo: others.length === 0 ? undo : `${undo} Who was told of it is told of that too.`, findings,
  })
  return act.before === null ? made : { ...made, label: ofCalendars }
}

function organizerFor(attendees: readonly Address[], place: CalendarToChange): Address | undefined {
  if (attendees.length === 0) return undefined
  const organizer = place.organizer()
  if (organizer) return organizer
  throw new Fault('refused', 'calendar.organizer', 'nobody is named who invites: write organizer, your address, at the connector in castellan.yaml, or leave the attendees out')
}

/** By what an event is known, which stays, and how often it was changed. Nothing else of a stranger's words is looked at. */
function identityOf(name: string, text: string): { uid: string; sequence: number } {
  const events = componentsOf(icalLines(text), 'VEVENT')
  const uids = new Set(events.flatMap((event) => event.filter((line) => line.name === 'UID').map(({ value }) => textValue(value))))
  const [uid] = uids
  if (uid === undefined || uids.size !== 1 || !/^[\x20-\x7e]{1,250}$/.test(uid)) throw new Fault('refused', 'calendar.kind', `${name} is not one event; change it in your calendar`)
  const numbers = events.flatMap((event) => event.filter((line) => line.name === 'SEQUENCE' && /^\d{1,9}$/.test(line.value)).map(({ value }) => Number(value)))
  return { uid, sequence: Math.max(0, ...numbers) }
}
