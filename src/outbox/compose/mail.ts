import { z } from 'zod'
import { Fault } from '../../kernel/fault.ts'
import { sha256 } from '../document.ts'
import { readAddress, showAddress } from './address.ts'
import type { Composed, Frame } from './composed.ts'
import { refuseControls, readBody } from './text.ts'

const megabyte = 1024 * 1024
const limits = { recipients: 100, subject: 500, text: megabyte, attachments: 20, attachmentBytes: 20 * megabyte, references: 100 }

const addresses = z.union([z.string(), z.array(z.string())]).transform((value) => (typeof value === 'string' ? [value] : value))

/**
 * What a worker may say about a mail, and nothing else: the sender is the connector's, the headers are these. Text only:
 * an HTML part could show something else than the text that was read before signing.
 */
export const mailPayload = z.strictObject({
  to: addresses.describe('`eva@example.org` or `Eva <eva@example.org>`, one or several'),
  cc: addresses.default([]),
  bcc: addresses.default([]),
  subject: z.string(),
  text: z.string(),
  inReplyTo: z.string().nullish().describe('Message-ID of the mail that this one answers'),
  references: z.array(z.string()).max(limits.references).default([]),
  attachments: z.array(z.strictObject({
    name: z.string(),
    type: z.string().default('application/octet-stream'),
    content: z.base64().describe('the bytes themselves'),
  })).max(limits.attachments).default([]),
})

/** What the operator may change in a mail. */
export interface MailWords {
  readonly recipients: { readonly to: readonly string[]; readonly cc: readonly string[]; readonly bcc: readonly string[] }
  readonly subject: string
  readonly text: string
}

/** The proposed mail in other words; its attachments and the thread it stands in stay. @throws Fault `mail.payload` */
export function editMail(payload: unknown, { recipients: { to, cc, bcc }, subject, text }: MailWords): z.input<typeof mailPayload> {
  return { ...readPayload(payload), to: [...to], cc: [...cc], bcc: [...bcc], subject, text }
}

function readPayload(payload: unknown): z.infer<typeof mailPayload> {
  const parsed = mailPayload.safeParse(payload)
  if (!parsed.success) throw new Fault('invalid', 'mail.payload', `the proposed mail does not have the form of one: ${z.prettifyError(parsed.error)}`)
  return parsed.data
}

/**
 * The bytes of a mail. The same payload and frame give the same bytes: date, Message-ID and boundaries come from the frame.
 * @throws Fault `mail.payload`, `mail.address`, `mail.control`, `mail.limit`, `mail.reference`, `mail.attachment`
 */
export async function composeMail(payload: unknown, frame: Frame): Promise<Composed> {
  const mail = readPayload(payload)
  const from = readAddress('from', frame.from)
  const to = mail.to.map((text) => readAddress('to', text))
  const cc = mail.cc.map((text) => readAddress('cc', text))
  const bcc = mail.bcc.map((text) => readAddress('bcc', text))
  const count = to.length + cc.length + bcc.length
  if (count === 0) throw new Fault('invalid', 'mail.payload', 'the proposed mail has no recipient')
  if (count > limits.recipients) throw new Fault('invalid', 'mail.limit', `${count} recipients are more than ${limits.recipients}; propose several mails`)
  refuseControls('subject', mail.subject)
  if (mail.subject.length > limits.subject) throw new Fault('invalid', 'mail.limit', `the subject is longer than ${limits.subject} characters`)
  const text = readBody('text', mail.text)
  if (text.length > limits.text) throw new Fault('invalid', 'mail.limit', `the text is longer than ${limits.text} characters; attach it`)
  const attachments = mail.attachments.map(readAttachment)
  if (attachments.reduce((sum, { content }) => sum + content.length, 0) > limits.attachmentBytes) {
    throw new Fault('invalid', 'mail.limit', `the attachments are larger than ${limits.attachmentBytes / megabyte} MB together`)
  }
  const boundary = sha256(`boundary ${frame.id} ${frame.nonce}`).slice(0, 32)
  const inReplyTo = mail.inReplyTo ? readMessageId('inReplyTo', mail.inReplyTo) : undefined
  const chain = mail.references.map((id) => readMessageId('references', id))
  // the chain ends with the message that is answered (RFC 5322, 3.6.4), whoever proposed it
  const references = inReplyTo ? [...chain.filter((id) => id !== inReplyTo), inReplyTo] : chain
  // `baseBoundary` and `boundaryPrefix` are options of MailComposer that its types do not know
  const options = {
    from, to, cc, bcc,
    subject: mail.subject,
    text: text.endsWith('\n') ? text : `${text}\n`,
    date: frame.at,
    messageId: `<${frame.id}@${from.address.slice(from.address.lastIndexOf('@') + 1)}>`,
    ...(inReplyTo && { inReplyTo }),
    ...(references.length > 0 && { references }),
    attachments: attachments.map(({ name, type, content }) => ({ filename: name, contentType: type, content, contentDisposition: 'attachment' as const })),
    newline: 'windows',
    disableFileAccess: true,
    disableUrlAccess: true,
    baseBoundary: boundary,
    boundaryPrefix: '=_castellan',
  }
  const { default: MailComposer } = await import('nodemailer/lib/mail-composer') // loaded by a house that writes mail: it takes 10 MB (measured)
  const wire = await new MailComposer(options).compile().build()
  checkHead(wire)
  return {
    wire,
    from: showAddress(from),
    recipients: { to: to.map(showAddress), cc: cc.map(showAddress), bcc: bcc.map(showAddress) },
    title: mail.subject,
    text,
    attachments: attachments.map(({ name, type, content }) => ({ name, type, sha256: sha256(content), length: content.length })),
    ...(inReplyTo && { answers: inReplyTo }),
  }
}

function readAttachment({ name, type, content }: { name: string; type: string; content: string }): { name: string; type: string; content: Buffer } {
  refuseControls('attachment name', name)
  if (name.trim() === '' || name.length > 200 || /[/\\]/.test(name)) {
    throw new Fault('invalid', 'mail.attachment', `${JSON.stringify(name)} cannot name an attachment: use 1 to 200 characters without / and \\`)
  }
  // parts that hold messages or further parts would be composed differently, and read as more than a file
  if (!/^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*$/i.test(type) || /^(multipart|message)\//i.test(type)) {
    throw new Fault('invalid', 'mail.attachment', `${JSON.stringify(type)} is not the media type of a file`)
  }
  return { name, type: type.toLowerCase(), content: Buffer.from(content, 'base64') }
}

function readMessageId(field: string, text: string): string {
  const id = text.startsWith('<') ? text : `<${text}>`
  if (!/^<[\x21-\x3b\x3d\x3f-\x7e]{1,900}>$/.test(id)) {
    throw new Fault('invalid', 'mail.reference', `${field}: ${JSON.stringify(text.slice(0, 300))} is not a Message-ID`)
  }
  return id
}

const expectedHeaders = new Set([
  'from', 'to', 'cc', 'subject', 'message-id', 'date', 'in-reply-to', 'references', 'mime-version', 'content-type', 'content-transfer-encoding',
])

/** Whatever the composer did with the fields: the head holds each expected header once, in lines that end with CRLF, and nothing else. */
function checkHead(wire: Buffer): void {
  const end = wire.indexOf('\r\n\r\n')
  const lines = wire.subarray(0, end).toString('latin1').split('\r\n')
  const seen = new Set<string>()
  for (const line of lines) {
    if (/^[ \t]/.test(line) && seen.size > 0 && !/[\r\n\0]/.test(line)) continue
    const name = /^([A-Za-z-]+): [^\r\n\0]*$/.exec(line)?.[1]?.toLowerCase() ?? (/^[A-Za-z-]+:$/.test(line) ? line.slice(0, -1).toLowerCase() : undefined)
    if (name === undefined || !expectedHeaders.has(name) || seen.has(name)) {
      throw new Fault('internal', 'mail.head', `the composed mail has a header line that was not asked for: ${JSON.stringify(line.slice(0, 80))}`)
    }
    seen.add(name)
  }
  if (end < 0 || /(^|[^\r])\n|\r(?!\n)|\0/.test(wire.toString('latin1'))) {
    throw new Fault('internal', 'mail.head', 'the composed mail has a line that does not end with CRLF')
  }
}
