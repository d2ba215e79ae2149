import { X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

const block = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g
const largest = 256 * 1024

/** The certificates in a file that the operator names, as PEM; nothing else that stands there goes on. */
export function readCertificates(house: string, written: string): { readonly pem: string } | { readonly what: string; readonly instead: string } {
  const instead = 'export the certificate of the authority as PEM, and name that file'
  const path = written.startsWith('~/') ? join(homedir(), written.slice(2)) : resolve(house, written)
  let text: string
  try {
    if (statSync(path).size > largest) return { what: `${written} is too large for a file of certificates`, instead }
    text = readFileSync(path, 'latin1')
  } catch (error) {
    return { what: `the certificate ${written} cannot be read: ${(error as Error).message}`, instead }
  }
  try {
    const pem = (text.match(block) ?? []).map((one) => new X509Certificate(one).toString()).join('')
    return pem === '' ? { what: `${written} holds no certificate in PEM form`, instead } : { pem }
  } catch {
    return { what: `${written} holds a certificate that cannot be read`, instead }
  }
}
