import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

const hashBytes = 32
/** Of one delivery; more are not looked at. */
const mostSignatures = 16

/** HMAC-SHA-256 over parts, as if they were one. */
export function hmac(secret: Buffer, ...parts: readonly (string | Buffer)[]): Buffer {
  const computed = createHmac('sha256', secret)
  for (const part of parts) computed.update(part)
  return computed.digest()
}

/** Is one of the signatures made with one of the secrets? Looks at all of them, so that the time it takes does not say which. */
export function isSigned(secrets: readonly Buffer[], signatures: readonly Buffer[], ...parts: readonly (string | Buffer)[]): boolean {
  let found = false
  for (const secret of secrets) {
    const right = hmac(secret, ...parts)
    for (const signature of signatures.slice(0, mostSignatures)) {
      if (signature.length === hashBytes && timingSafeEqual(signature, right)) found = true
    }
  }
  return found
}

/** Compares texts of any length in a time that says nothing about them. */
export function isOneOf(secrets: readonly Buffer[], given: string): boolean {
  const hash = createHash('sha256').update(given).digest()
  let found = false
  for (const secret of secrets) if (timingSafeEqual(createHash('sha256').update(secret).digest(), hash)) found = true
  return found
}
