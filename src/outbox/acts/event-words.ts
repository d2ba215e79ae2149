import { cutText } from './cut-text.ts'
import { componentsOf, icalLines, textValue, visible, type IcalLine } from './ical-lines.ts'

// written out, so that no two machines say it differently
const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const months = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December']
const units: Readonly<Record<string, string>> = { DAILY: 'day', WEEKLY: 'week', MONTHLY: 'month', YEARLY: 'year' }

/** The events of a resource of a calendar in words, then the whole of it as it is written: nothing in it is left out. */
export function wordsOfEvents(text: string): string[] {
  const lines = icalLines(text)
  return [
    ...componentsOf(lines, 'VEVENT').flatMap((event, index) => [...(index === 0 ? [] : ['', 'and for one of its dates:']), ...wordsOfEvent(event)]),
    '',
    'As it is written:',
    ...lines.map(({ whole }) => `  ${visible(whole)}`),
  ]
}

/** What it is called; for a title. */
export function titleOfEvent(text: string): string {
  const summary = componentsOf(icalLines(text), 'VEVENT')[0]?.find(({ name }) => name === 'SUMMARY')
  return summary === undefined ? 'an event without a title' : cutText(visible(textValue(summary.value)).replaceAll(/\s+/g, ' ').trim(), 150)
}

/** Addresses of those who take part, and of who invites where it is not one's own event, in small letters; of those without one, what stands there. */
export function peopleOf(text: string, { isOwn }: { readonly isOwn: boolean }): string[] {
  const lines = componentsOf(icalLines(text), 'VEVENT').flat().filter(({ name }) => name === 'ATTENDEE' || (name === 'ORGANIZER' && !isOwn))
  return [...new Set(lines.map(({ value }) => visible(value.replace(/^mailto:/i, '')).toLowerCase()))]
}

function wordsOfEvent(event: readonly IcalLine[]): string[] {
  const alarms = componentsOf(event, 'VALARM').flat()
  const own = event.filter((line) => !alarms.includes(line))
  const all = (name: string) => own.filter((line) => line.name === name)
  const one = (name: string) => all(name)[0]
  const start = one('DTSTART')
  const end = one('DTEND')
  const description = one('DESCRIPTION')
  return [
    visible(textValue(one('SUMMARY')?.value ?? '(without a title)')),
    `from ${start ? momentOf(start) : 'an unknown moment'}`,
    ...(end ? [end.parameters['VALUE'] === 'DATE' ? `up to and without ${momentOf(end)}` : `to   ${momentOf(end)}`] : []),
    ...all('RRULE').map(({ value }) => `repeats ${repetitionOf(value)}`),
    ...all('LOCATION').map(({ value }) => `at ${visible(textValue(value))}`),
    ...all('ORGANIZER').map((line) => `invited by ${personOf(line)}`),
    ...all('ATTENDEE').map((line) => `with ${personOf(line)}`),
    ...alarms.filter(({ name }) => name === 'TRIGGER').map(({ value }) => `reminder ${reminderOf(value)}`),
    ...(description ? ['', visible(textValue(description.value))] : []),
  ]
}

function personOf({ value, parameters }: IcalLine): string {
  const address = value.replace(/^mailto:/i, '')
  return visible(parameters['CN'] === undefined || parameters['CN'] === '' ? address : `${parameters['CN']} <${address}>`)
}

function momentOf({ value, parameters }: IcalLine): string {
  const [, year, month, day, hour, minute, utc] = /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)\d\d(Z?))?$/.exec(value) ?? []
  if (year === undefined) return visible(value)
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)))
  const shown = `${days[date.getUTCDay()]} ${date.getUTCDate()} ${months[date.getUTCMonth()]} ${date.getUTCFullYear()}`
  if (hour === undefined) return `${shown}, all day`
  return `${shown}, ${hour}:${minute} (${utc === 'Z' ? 'UTC' : visible(parameters['TZID'] ?? 'wherever one is')})`
}

/** Rules as Castellan writes them; others as they are written. */
function repetitionOf(rule: string): string {
  const parts = Object.fromEntries(rule.split(';').map((part) => part.split('=') as [string, string]))
  const { FREQ: frequency = '', INTERVAL: interval = '1', COUNT: count, UNTIL: until, ...rest } = parts
  const unit = units[frequency]
  if (unit === undefined || Object.keys(rest).length > 0 || !/^\d+$/.test(interval)) return visible(rule)
  const end = until === undefined ? (count === undefined ? 'without an end' : `${visible(count)} times in all`) : `until ${momentOf({ name: '', parameters: {}, value: until, whole: '' })}`
  return `${interval === '1' ? `every ${unit}` : `every ${interval} ${unit}s`}, ${end}`
}

function reminderOf(trigger: string): string {
  const [, sign, weeks, days, hours, minutes] = /^([+-]?)P(?=.*\d)(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:0+S)?)?$/.exec(trigger) ?? []
  if (sign === undefined) return visible(trigger)
  const all = Number(weeks ?? 0) * 10_080 + Number(days ?? 0) * 1_440 + Number(hours ?? 0) * 60 + Number(minutes ?? 0)
  return all === 0 ? 'when it begins' : `${all} minutes ${sign === '-' ? 'before' : 'after'}`
}
