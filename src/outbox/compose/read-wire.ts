import { readOutboundAct, wordsOfAct } from '../acts/outbound-act.ts'
import { isClearance, readClearance, textOfClearance } from '../clearances/clearance-act.ts'
import { readMailboxAct, textOfMailboxAct } from './mailbox-act.ts'

/** The text of what `compose` made; of a mail its first part, decoded. Reads Castellan's own bytes only, never a stranger's. */
export function textOfWire(wire: Buffer): string {
  // no mail begins like that
  if (wire[0] === '{'.charCodeAt(0)) {
    if (isClearance(wire)) return textOfClearance(readClearance(wire))
    const act = readOutboundAct(wire)
    return act ? wordsOfAct(act) : textOfMailboxAct(readMailboxAct(wire))
  }
  const whole = wire.toString('latin1')
  const [head, body] = splitHead(whole)
  const boundary = /^content-type: multipart\/[^;]*;\s*boundary="([^"]+)"/im.exec(head)?.[1]
  if (boundary === undefined) return decode(head, body)
  const start = body.indexOf(`--${boundary}\r\n`) + boundary.length + 4
  return decode(...splitHead(body.slice(start, body.indexOf(`\r\n--${boundary}`, start))))
}

function splitHead(text: string): [string, string] {
  const end = text.indexOf('\r\n\r\n')
  return [text.slice(0, end).replace(/\r\n[ \t]+/g, ' '), text.slice(end + 4)]
}

function decode(head: string, body: string): string {
  const encoding = /^content-transfer-encoding: (\S+)/im.exec(head)?.[1]?.toLowerCase()
  const bytes =
    encoding === 'base64' ? Buffer.from(body, 'base64')
    : encoding === 'quoted-printable' ? Buffer.from(body.replace(/=\r\n/g, '').replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))), 'latin1')
    : Buffer.from(body, 'latin1')
  return bytes.toString('utf8').replaceAll('\r\n', '\n')
}

/** The header lines of such a mail in their order, each unfolded to one line. What is no mail has none. */
export function headersOfWire(wire: Buffer): { readonly name: string; readonly value: string }[] {
  const end = wire.indexOf('\r\n\r\n')
  if (end < 0) return []
  const [head] = splitHead(wire.subarray(0, end + 4).toString('latin1'))
  return head.split('\r\n').map((line) => ({ name: line.slice(0, line.indexOf(':')), value: line.slice(line.indexOf(':') + 1).trim() }))
}
