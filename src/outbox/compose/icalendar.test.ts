import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import { wordsOfEvents } from '../acts/event-words.ts'
import { componentsOf, icalLines, textValue, visible } from '../acts/ical-lines.ts'
import { eventFields, readEvent } from './calendar-event.ts'
import { writeEvent } from './icalendar.ts'

const frame = { uid: 'uid-1', sequence: 0, draft: 'draft-1', at: new Date('2026-02-01T08:00:00.500Z'), organizer: { name: 'Haus', address: 'haus@example.org' } }
const said = { title: 'Zahnarzt, Dr. Ü; „oben“', start: '2026-03-02T10:00', end: '2026-03-02T10:45', zone: 'Europe/Berlin' }
const schema = z.strictObject(eventFields)
const written = (event: object) => writeEvent(readEvent(schema.parse({ ...said, ...event })), frame)
const lines = (text: string) => text.replaceAll('\r\n ', '').split('\r\n')
const event = (text: string) => lines(text).slice(lines(text).indexOf('BEGIN:VEVENT') + 1, lines(text).indexOf('END:VEVENT'))

test('an event has its zone with its rules, its identity, and says of itself which draft it is of', () => {
  const text = written({})
  assert.deepEqual(event(text), [
    'UID:uid-1', 'SEQUENCE:0', 'DTSTAMP:20260201T080000Z', 'DTSTART;TZID=Europe/Berlin:20260302T100000', 'DTEND;TZID=Europe/Berlin:20260302T104500',
    'SUMMARY:Zahnarzt\\, Dr. Ü\\; „oben“', 'ORGANIZER;CN=Haus:mailto:haus@example.org', 'X-CASTELLAN-DRAFT:draft-1',
  ])
  assert(text.includes('BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\n') && text.endsWith('END:VCALENDAR\r\n'))
  assert(text.split('\r\n').every((line) => Buffer.byteLength(line) <= 75))
})

test('the same event is the same bytes, whatever the zone of this machine', () => {
  const before = process.env['TZ']
  const texts = ['UTC', 'Asia/Tokyo', 'America/New_York'].map((zone) => {
    process.env['TZ'] = zone
    return written({ start: '2026-03-29T03:30', end: '2026-03-29T04:30', repeat: { every: 'week', until: '2026-05-01' } })
  })
  if (before === undefined) delete process.env['TZ']
  else process.env['TZ'] = before
  assert.equal(new Set(texts).size, 1)
})

test('whole days end with the day after, UTC has no zone, and what repeats ends in UTC', () => {
  const days = event(written({ start: '2026-12-24', end: '2026-12-31', zone: undefined }))
  assert(days.includes('DTSTART;VALUE=DATE:20261224') && days.includes('DTEND;VALUE=DATE:20270101'))
  assert(event(written({ zone: 'UTC' })).includes('DTSTART:20260302T100000Z'))
  assert(event(written({ repeat: { every: 'month', interval: 2, until: '2026-07-01' } })).includes('RRULE:FREQ=MONTHLY;INTERVAL=2;UNTIL=20260701T215900Z'))
  assert(event(written({ repeat: { every: 'day', times: 3 } })).includes('RRULE:FREQ=DAILY;COUNT=3'))
})

test('nothing that somebody writes becomes a line, a parameter or an address of its own', () => {
  const text = written({ title: 'a:b;c,d\\n"', text: 'one\nATTENDEE:mailto:x@evil.example\n', place: 'BEGIN:VALARM', attendees: ['Eva: the; "first" <eva@example.org>'.replaceAll('"', '')] })
  assert.equal(lines(text).filter((line) => /^(ATTENDEE|BEGIN:VALARM)/.test(line)).length, 1)
  assert(lines(text).some((line) => line.startsWith('ATTENDEE;CN="Eva: the; first"') && line.endsWith(':mailto:eva@example.org')))
  assert(lines(text).includes('DESCRIPTION:one\\nATTENDEE:mailto:x@evil.example\\n'))
})

test('what contradicts itself, comes in no calendar or never ends is refused', () => {
  const wrong: [object, RegExp][] = [
    [{ end: '2026-03-02T10:00' }, /end \(.*\) before it begins/], [{ end: '2026-03-02' }, /both times, or both whole days/], [{ start: '2026-02-30T10:00' }, /not in the calendar/], [{ zone: undefined }, /needs its zone/],
    [{ start: '0900-03-02T10:00', end: '0900-03-02T11:00' }, /years 1000 to 9998/], [{ start: '9999-12-30', end: '9999-12-31', zone: undefined }, /years 1000 to 9998/], [{ repeat: { every: 'year', until: '9999-01-01' } }, /years 1000 to 9998/],
    [{ zone: 'Mars/Base' }, /no time zone/], [{ start: '2026-03-02', end: '2026-03-02' }, /have no zone/], [{ start: '2026-03-29T02:30', end: '2026-03-29T05:00' }, /does not come in Europe\/Berlin/],
    [{ repeat: { every: 'day' } }, /has an end/], [{ repeat: { every: 'day', times: 2, until: '2026-04-01' } }, /has an end/], [{ repeat: { every: 'day', until: '2026-03-01' } }, /has an end/],
    [{ title: 'a\u202eb' }, /control/], [{ place: 'a\nb' }, /control/], [{ attendees: ['eva'] }, /not an address/], [{ attendees: ['eva@example.org', 'Eva <eva@example.org>'] }, /twice/],
  ]
  for (const [change, message] of wrong) assert.throws(() => written(change), { message }, JSON.stringify(change))
})

test('an event is told in words, and then as it is written; a stranger’s is told with what hides in it', () => {
  const words = wordsOfEvents(written({ place: 'Wien', attendees: ['Eva <eva@example.org>'], reminder: 15, text: 'Bitte\nKarte', repeat: { every: 'week', interval: 2, times: 4 } }))
  assert.deepEqual(words.slice(0, 13), [
    'Zahnarzt, Dr. Ü; „oben“', 'from Monday 2 March 2026, 10:00 (Europe/Berlin)', 'to   Monday 2 March 2026, 10:45 (Europe/Berlin)', 'repeats every 2 weeks, 4 times in all', 'at Wien', 'invited by Haus <haus@example.org>',
    'with Eva <eva@example.org>', 'reminder 15 minutes before', '', 'Bitte\nKarte', '', 'As it is written:', '  BEGIN:VCALENDAR',
  ])
  const foreign = wordsOfEvents('BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY;X="a:b":Pay\u202e now\r\nDTSTART:soon\r\nRRULE:FREQ=DAILY;BYDAY=MO\r\nno line\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n')
  assert.deepEqual(foreign.slice(0, 3), ['Pay\\u{202e} now', 'from soon', 'repeats FREQ=DAILY;BYDAY=MO'])
  assert(foreign.includes('  no line'))
})

test('a reminder is told in minutes, however the calendar writes it', () => {
  const told = (reminder: number) => wordsOfEvents(written({ reminder })).find((line) => line.startsWith('reminder'))
  assert.deepEqual([0, 90, 1_440, 10_080, 40_320].map(told), ['reminder when it begins', 'reminder 90 minutes before', 'reminder 1440 minutes before', 'reminder 10080 minutes before', 'reminder 40320 minutes before'])
  const foreign = (trigger: string) => wordsOfEvents(`BEGIN:VEVENT\r\nBEGIN:VALARM\r\nTRIGGER:${trigger}\r\nEND:VALARM\r\nEND:VEVENT\r\n`).find((line) => line.startsWith('reminder'))
  assert.deepEqual(['-PT0S', '-PT45S', 'P1W', 'P', '-P1Y'].map(foreign), ['reminder when it begins', 'reminder -PT45S', 'reminder 10080 minutes after', 'reminder P', 'reminder -P1Y'])
})

test('whatever words are written, they are read back as they were, and are no other lines', () => {
  const words = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 120 }).filter((text) => text.trim() !== '' && !/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u.test(text))
  const hostile = fc.oneof(words, fc.constantFrom('a;b,c:d"e\\n\\', 'END:VEVENT', '\\,\\;\\\\', '👩‍👩‍👧'.repeat(30), ' x', '"', '^\'^n'))
  fc.assert(fc.property(hostile, hostile, fc.array(hostile, { minLength: 1, maxLength: 4 }), (title, place, paragraphs) => {
    const text = written({ title, place, text: paragraphs.join('\n') })
    const [found, ...others] = componentsOf(icalLines(text), 'VEVENT')
    assert.deepEqual(found!.map(({ name }) => name), ['UID', 'SEQUENCE', 'DTSTAMP', 'DTSTART', 'DTEND', 'SUMMARY', 'LOCATION', 'DESCRIPTION', 'ORGANIZER', 'X-CASTELLAN-DRAFT'])
    assert.deepEqual([5, 6, 7].map((index) => textValue(found![index]!.value)), [title, place, paragraphs.join('\n')])
    assert.deepEqual(others, [])
    assert(text.split('\r\n').every((line) => Buffer.byteLength(line) <= 76))
  }), { numRuns: 300 })
})

test('whatever a stranger’s event holds, it is told, and nothing in what is told is invisible', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
    const told = wordsOfEvents(`BEGIN:VEVENT\r\nSUMMARY:${text}\r\nDTSTART:${text}\r\nATTENDEE;CN="${text}":${text}\r\nEND:VEVENT\r\n`).join('\n')
    assert(!/[^\P{C}\n\t]/u.test(told))
    assert.equal(visible(told), told)
  }), { numRuns: 500 })
})
