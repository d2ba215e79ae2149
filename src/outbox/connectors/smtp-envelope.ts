import { Fault } from '../../kernel/fault.ts'
import { readAddress } from '../compose/address.ts'
import { sha256, type DraftDocument } from '../document.ts'

export interface SmtpEnvelope {
  readonly from: string
  /** All of them, those in BCC too; each once. */
  readonly to: readonly string[]
}

const longestLine = 998

/** Whom the signed document names, and nobody else. */
export function envelopeOf({ from, recipients: { to, cc, bcc } }: Pick<DraftDocument, 'from' | 'recipients'>): SmtpEnvelope {
  const addresses = [...to, ...cc, ...bcc].map((shown) => readAddress('recipient', shown).address)
  return { from: readAddress('from', from).address, to: [...new Set(addresses)] }
}

export function hashOf({ from, to }: SmtpEnvelope): string {
  return sha256(JSON.stringify([from, ...to]))
}

/**
 * SMTP carries lines that end with CRLF; anything else some server on the way would change, or read as the end of the message.
 * @throws Fault `connector.not_sent`
 */
export function checkCarriable(wire: Buffer): void {
  const text = wire.toString('latin1')
  const what =
    !text.endsWith('\r\n') ? 'does not end with a line end'
    : /\r(?!\n)|(?<!\r)\n|\0/.test(text) ? 'has a line end or a character that SMTP cannot carry'
    : text.split('\r\n').some((line) => line.length > longestLine) ? `has a line of more than ${longestLine} characters`
    : undefined
  if (what) throw new Fault('invalid', 'connector.not_sent', `the message ${what}, so that its bytes would be changed on the way`)
}

/** A dot before each line that begins with one (RFC 5321, 4.5.2); the receiver takes it away. */
export function stuffDots(wire: Buffer): Buffer {
  const pieces: Buffer[] = wire[0] === 0x2e ? [Buffer.from('.')] : []
  let from = 0
  for (let at = wire.indexOf('\r\n.'); at >= 0; at = wire.indexOf('\r\n.', at + 2)) {
    pieces.push(wire.subarray(from, at + 2), Buffer.from('.'))
    from = at + 2
  }
  return pieces.length === 0 ? wire : Buffer.concat([...pieces, wire.subarray(from)])
}

/** What a mail that `composeMail` made is called. Reads Castellan's own bytes only. */
export function messageIdOf(wire: Buffer): string | undefined {
  const head = wire.subarray(0, wire.indexOf('\r\n\r\n')).toString('latin1')
  return /^message-id:\s*(<[^<>\s]{1,998}>)/im.exec(head)?.[1]
}
