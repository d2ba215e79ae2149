import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Problem } from '../problem.ts'
import { didYouMean } from '../suggest.ts'
import type { YamlSource } from '../yaml-source.ts'
import type { CastellanFile } from './castellan-file.ts'
import { isLoopback } from './check-models.ts'

/** Mailboxes whose password would travel in the clear, certificates that are none, and connectors without their mailbox. The certificates come back as PEM. */
export function checkMail(house: string, file: CastellanFile, source: YamlSource): { certificates: ReadonlyMap<string, string>; problems: Problem[] } {
  const problems: Problem[] = []
  const certificates = new Map<string, string>()
  const remote = Object.entries(file.mail.accounts).flatMap(([name, account]) => (account.kind === 'imap' ? [[name, account] as const] : []))
  for (const [name, { host, security, ca, folders }] of remote) {
    const at = ['mail', 'accounts', name]
    if (security === 'none' && !isLoopback(host) && host !== '::1') {
      problems.push(source.problem([...at, 'security'], `the password of ${name} would go to ${host} unencrypted`, 'write security: tls or security: starttls'))
    }
    folders.forEach((folder, index) => {
      if (folders.indexOf(folder) !== index) problems.push(source.problem([...at, 'folders', index], `${name} mirrors the folder ${folder} twice`, 'remove one of them'))
    })
    if (ca === undefined) continue
    const read = readCertificate(house, ca)
    if ('pem' in read) certificates.set(name, read.pem)
    else problems.push(source.problem([...at, 'ca'], read.what, read.instead))
  }
  const names = remote.map(([name]) => name)
  for (const [name, connector] of Object.entries(file.outbox.connectors)) {
    if (connector.kind !== 'imap' || names.includes(connector.account)) continue
    problems.push(source.problem(['outbox', 'connectors', name, 'account'], `the connector ${name} is for the mailbox ${connector.account}, and no mail account of kind imap has that name`, didYouMean(connector.account, names)))
  }
  return { certificates, problems }
}

const begin = '-----BEGIN CERTIFICATE-----'
const largest = 256 * 1024

function readCertificate(house: string, written: string): { pem: string } | { what: string; instead: string } {
  const path = resolve(house, written.startsWith('~/') ? join(homedir(), written.slice(2)) : written)
  const instead = 'export the certificate of the server as PEM and name that file'
  try {
    const pem = readFileSync(path, 'latin1').slice(0, largest)
    if (!pem.includes(begin)) return { what: `${written} holds no certificate in PEM form`, instead }
    // only certificates go on: a private key beside them is nobody's business
    const parts = pem.split(begin).slice(1).map((part) => new X509Certificate(begin + part))
    return { pem: parts.map((part) => part.toString()).join('') }
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code !== undefined && 'path' in (error as object)
    return { what: missing ? `the certificate ${written} cannot be read: ${(error as Error).message}` : `${written} holds a certificate that cannot be read`, instead }
  }
}
