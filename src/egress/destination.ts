import { isIP } from 'node:net'

/** A host by its name, in small letters, and one port. */
export interface Destination {
  readonly host: string
  readonly port: number
}

export type Refusal = 'malformed' | 'literal' | 'host' | 'port' | 'plain' | 'address' | 'unresolved' | 'unreachable' | 'limit' | 'no_tls' | 'sni' | 'hidden'

const authority = /^([A-Za-z0-9.-]{1,253}):([0-9]{1,5})$/

/**
 * Where a CONNECT leads, if it is one of the declared destinations to the letter. What is not plain ASCII is refused before it is
 * brought to small letters, because some letters of other scripts become ASCII then; and an address stands for a name that was not declared.
 */
export function findDestination(asked: string, declared: readonly Destination[]): Destination | Refusal {
  if (asked.startsWith('[')) return 'literal'
  const [, name, digits] = authority.exec(asked) ?? []
  if (name === undefined) return 'malformed'
  const host = name.toLowerCase()
  if (isLiteral(host)) return 'literal'
  const known = declared.filter((one) => one.host === host)
  return known.find((one) => one.port === Number(digits)) ?? (known.length > 0 ? 'port' : 'host')
}

/** Whatever some resolver would read as an address: also 127.1, 0x7f000001 and 2130706433. */
function isLiteral(host: string): boolean {
  const last = host.split('.').findLast((label) => label !== '') ?? ''
  return isIP(host) !== 0 || /^(?:[0-9]+|0x[0-9a-f]*)$/.test(last)
}
