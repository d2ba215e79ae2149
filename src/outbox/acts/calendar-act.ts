import { peopleOf, wordsOfEvents } from './event-words.ts'
import type { ActFrame } from './outbound-act.ts'

/** One resource of one calendar (RFC 4791): made, replaced as a whole, or deleted. */
export interface CalendarAct extends ActFrame {
  readonly kind: 'calendar.create' | 'calendar.change' | 'calendar.delete'
  /** The address of the calendar, with `/` at its end. */
  readonly calendar: string
  /** The name of the resource in it. */
  readonly resource: string
  /** The iCalendar that is put there, byte for byte; null: nothing is. */
  readonly event: string | null
  /** What stands there, byte for byte, and as which version; null: nothing may. */
  readonly before: string | null
  readonly etag: string | null
  /** What the server says of telling those who take part: `server` it does so by itself, `unknown` it does not say so, `nobody` there is nobody to tell. */
  readonly tells: string
}

export const calendarShape = { calendar: 'string', resource: 'string', event: 'text or null', before: 'text or null', etag: 'text or null', tells: 'string' } as const

const telling: Readonly<Record<string, string>> = {
  server: 'The server tells them by itself, in the name of whose calendar it is: it mails an invitation, a change or a cancellation to each.',
  unknown: 'The server does not say that it tells them; some do all the same.',
}

export function wordsOfCalendar({ kind, calendar, resource, event, before, etag, tells }: CalendarAct): string {
  const people = [...new Set([...(event === null ? [] : peopleOf(event, { isOwn: true })), ...(before === null ? [] : peopleOf(before, { isOwn: false }))])]
  return [
    ...(kind === 'calendar.create' ? [`Put this event into the calendar ${calendar}, as long as no other is called ${resource}:`] : []),
    ...(kind === 'calendar.change' ? [`Replace the event ${resource} of the calendar ${calendar} as a whole, as long as it is the version ${etag}. What only the old one says is gone afterwards. The new one:`] : []),
    ...(kind === 'calendar.delete' ? [`Delete the event ${resource} from the calendar ${calendar}, as long as it is the version ${etag}:`] : []),
    ...(people.length === 0 ? [] : [`It is about ${people.length} other${people.length === 1 ? '' : 's'}: ${people.join(', ')}. ${telling[tells] ?? ''}`]),
    '',
    ...(event === null ? [] : wordsOfEvents(event)),
    ...(before === null ? [] : [...(event === null ? [] : ['', 'What stands there now, which may be a stranger’s words:', '']), ...wordsOfEvents(before)]),
    '',
  ].join('\n')
}
