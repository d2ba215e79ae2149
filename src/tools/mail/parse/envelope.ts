import type { Address, Attachment, Envelope } from '../mailbox.ts'
import { deceptions, domainOf } from './deceptions.ts'

type Headers = ReadonlyMap<string, unknown>
type HeaderLines = readonly { readonly key: string; readonly line: string }[]

const mostAddresses = 200
const mostReferences = 50

/** The head of a message as Castellan keeps it, every field cut to a bounded length. */
export function envelopeOf(headers: Headers, lines: HeaderLines, attachments: readonly Attachment[], text: string): Envelope {
  const from = addresses(headers.get('from'))[0] ?? { name: '', address: '' }
  const to = addresses(headers.get('to'))
  const replyTo = addresses(headers.get('reply-to'))
  const subject = oneLine(headers.get('subject'), 500)
  return {
    from, to, cc: addresses(headers.get('cc')), replyTo, subject,
    date: dateOf(lines),
    messageId: id(headers.get('message-id')),
    inReplyTo: id(headers.get('in-reply-to')),
    references: [headers.get('references')].flat().map(id).filter((one) => one !== null).slice(-mostReferences),
    listUnsubscribe: lines.some((line) => line.key === 'list-unsubscribe'),
    autoSubmitted: lines.some((line) => (line.key === 'auto-submitted' && !/:\s*no\b/i.test(line.line)) || (line.key === 'precedence' && /bulk|junk|auto_reply/i.test(line.line))),
    attachments,
    snippet: oneLine(text.slice(0, 2_000), 200),
    warnings: [...severalSenders(lines), ...deceptions({ from, replyTo, to, subject })].map((warning) => warning.slice(0, 300)),
  }
}

function severalSenders(lines: HeaderLines): string[] {
  const count = lines.filter((line) => line.key === 'from').length
  return count > 1 ? [`it has ${count} From lines; another program may show another sender`] : []
}

interface Parsed {
  readonly name?: string
  readonly address?: string
  readonly group?: readonly Parsed[]
}

function addresses(header: unknown): Address[] {
  const lists = [header].flat() as ({ value?: readonly Parsed[] } | undefined)[]
  return lists.flatMap((list) => list?.value ?? []).flatMap((one) => one.group ?? [one]).slice(0, mostAddresses)
    .map((one) => ({ name: oneLine(one.name, 200), address: plain(one.address ?? '') }))
    .filter((one) => one.name !== '' || one.address !== '')
}

/** With the domain in ASCII: an answer goes where it says, and a look-alike shows. */
function plain(address: string): string {
  const at = address.lastIndexOf('@')
  return oneLine(at === -1 ? address : `${address.slice(0, at)}@${domainOf(address)}`, 320)
}

/** From the line itself: the parser takes the present for a date that it cannot read. */
function dateOf(lines: HeaderLines): string | null {
  const line = lines.find((one) => one.key === 'date')?.line
  const date = new Date(line?.slice(line.indexOf(':') + 1).replace(/\([^)]{0,50}\)/g, '').trim().slice(0, 100) ?? '')
  return Number.isNaN(date.getTime()) ? null : date.toISOString()
}

function id(value: unknown): string | null {
  const text = oneLine([value].flat()[0], 500)
  return text === '' ? null : text
}

const breaks = /[\u0000-\u001f\u007f\u2028\u2029\s]+/g

function oneLine(value: unknown, length: number): string {
  return typeof value === 'string' ? value.slice(0, length * 4).toWellFormed().replace(breaks, ' ').trim().slice(0, length).toWellFormed() : ''
}
