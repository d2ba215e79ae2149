import { randomUUID } from 'node:crypto'

/** A UUIDv7 (RFC 9562): 48 bits of milliseconds, then 74 random bits, so that ids sort by the time they were made. */
export function newId(now: number = Date.now()): string {
  const time = now.toString(16).padStart(12, '0')
  // the random bits and the variant are those of a UUIDv4, which Node takes from a stock of random bytes
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`
}
