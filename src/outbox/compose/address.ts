import { domainToASCII } from 'node:url'
import { Fault } from '../../kernel/fault.ts'
import { refuseControls } from './text.ts'

export interface Address {
  /** Empty when there is none. */
  readonly name: string
  /** ASCII: an international domain is in its `xn--` form, so that look-alike letters show. */
  readonly address: string
}

/** RFC 5321 limits, in octets. */
const longest = { local: 64, whole: 254, label: 63 }
const atom = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/
const domainLabel = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/

/**
 * Reads `eva@example.org` or `Eva <eva@example.org>`, and nothing cleverer: what two programs could read differently is refused.
 * @throws Fault `mail.address`
 */
export function readAddress(field: string, text: string): Address {
  refuseControls(field, text)
  const named = /^\s*(?:"([^"\\<>]*)"|([^"<>]*?))\s*<([^<>]*)>\s*$/.exec(text)
  const address = normalAddress(field, (named ? named[3]! : text).trim())
  const name = (named?.[1] ?? named?.[2] ?? '').trim()
  if (name === '' || name.toLowerCase() === address.toLowerCase()) return { name: '', address }
  // a name that looks like another address deceives whoever reads only the name
  if (name.includes('@')) throw refused(field, text, 'the name beside the address holds an @')
  if (name.length > 200) throw refused(field, text, 'the name beside the address is longer than 200 characters')
  return { name, address }
}

/** `Eva <eva@example.org>`: how the page and the document show it. */
export function showAddress({ name, address }: Address): string {
  return name === '' ? address : `${name} <${address}>`
}

function normalAddress(field: string, text: string): string {
  const at = text.lastIndexOf('@')
  if (at < 1) throw refused(field, text, 'it has no name before an @')
  const local = text.slice(0, at)
  const domain = text.slice(at + 1)
  if (/[^\x00-\x7f]/.test(local)) throw refused(field, text, 'letters beyond ASCII before the @ need SMTPUTF8, which most servers refuse')
  if (!atom.test(local)) throw refused(field, text, 'what stands before the @ is not a plain mailbox name')
  const ascii = domainToASCII(domain).toLowerCase()
  const labels = ascii.split('.')
  if (labels.length < 2 || !labels.every((label) => domainLabel.test(label) && label.length <= longest.label) || /^\d+$/.test(labels.at(-1)!)) {
    throw refused(field, text, 'what stands after the @ is not a domain name')
  }
  if (local.length > longest.local || local.length + 1 + ascii.length > longest.whole) throw refused(field, text, 'it is longer than RFC 5321 allows')
  return `${local}@${ascii}`
}

function refused(field: string, text: string, why: string): Fault {
  return new Fault('invalid', 'mail.address', `${field}: ${JSON.stringify(text.slice(0, 300))} is not an address to send to: ${why}`)
}
