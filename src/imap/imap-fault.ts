import type { ImapFlowError } from 'imapflow'
import { Fault } from '../kernel/fault.ts'
import type { ImapAccount } from '../house/index.ts'

/** The server refuses for the moment, and not the password. */
const momentary = new Set(['UNAVAILABLE', 'INUSE', 'LIMIT', 'SERVERBUG', 'THROTTLED', 'OVERQUOTA'])
const ofCertificate = /certificate|self.signed|unable to verify|altname|CERT_/i

/** What a mail server, or the way to it, did wrong; with what to do about it. Its own words are a stranger's: one short line of them. */
export function imapFault(account: ImapAccount, error: unknown): Fault {
  if (error instanceof Fault) return error
  const { code = '', message, authenticationFailed, tlsFailed, serverResponseCode = '', responseText, mailboxMissing } = error as ImapFlowError
  const { name, host, port, password, user, security } = account
  const server = `${host}:${port}`
  const said = oneLine(responseText ?? message)
  if (authenticationFailed && !momentary.has(serverResponseCode.toUpperCase())) {
    return new Fault('refused', 'imap.credentials',
      `${server} refused the user ${user} or the password of the mail account ${name} (${said}): put the right one, usually made for an app, into $CASTELLAN_HOME/secrets/${password.secret} and start Castellan again`)
  }
  if (ofCertificate.test(`${code} ${message}`)) {
    return new Fault('refused', 'imap.certificate',
      `the certificate of ${server} is not one to trust (${said}): if it is your own server, export its certificate and name the file under mail.accounts.${name}.ca`)
  }
  if (tlsFailed) {
    return new Fault('refused', 'imap.encryption', `${server} does not do ${security === 'tls' ? 'TLS' : 'STARTTLS'} there (${said}): correct port and security of the mail account ${name}`)
  }
  if (mailboxMissing) return new Fault('missing', 'imap.folder', `the mail account ${name} has no such folder`)
  if (code === 'LiteralTooLarge') return new Fault('refused', 'imap.literal', `${server} sent more bytes than were asked for`, {}, error)
  return new Fault('unavailable', 'imap.unreachable', `the mail server ${server} of the account ${name} does not answer as it should: ${said || code}`, {}, error)
}

/** Will trying again help, without the operator? */
export function mayPass({ kind }: Fault): boolean {
  return kind === 'unavailable' || kind === 'timeout' || kind === 'internal' || kind === 'conflict'
}

function oneLine(text: string | undefined): string {
  return (text ?? '').replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim().slice(0, 200)
}
