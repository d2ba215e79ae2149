import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'

/** SHA-256, hex, over the canonical JSON (RFC 8785) of a value. */
export function digestOf(value: unknown): string {
  return createHash('sha256').update(canonicalize(JSON.parse(JSON.stringify(value)))!).digest('hex')
}
