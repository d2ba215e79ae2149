import { Fault } from '../../kernel/fault.ts'
import type { SmtpReply } from './smtp-dialogue.ts'

export interface SmtpServer {
  readonly host: string
  readonly port: number
}

/** `smtp.example.org:465` */
export function showServer({ host, port }: SmtpServer): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

const longestSaid = 300

/** What a server said, to be shown: one line, no characters that hide or reorder, and not too long. */
export function showReply({ code, lines }: SmtpReply, secrets: readonly string[] = []): string {
  let said = `${code} ${lines.join(' ')}`
  for (const secret of secrets) said = said.replaceAll(secret, '…')
  return said.replace(/[^\p{L}\p{N}\p{P}\p{S}\p{Zs}…]+/gu, ' ').trim().slice(0, longestSaid).toWellFormed()
}

/** The server answered that it will not: for now (4xx), or at all. */
export function declined(server: SmtpServer, step: string, reply: SmtpReply, { hint = '', secrets = [] as readonly string[] } = {}): Fault {
  const after = hint === '' ? '' : `; ${hint}`
  const brief = `${showServer(server)} answered ${reply.code} at ${step}${after}`
  return new Fault('unavailable', reply.code < 500 && reply.code >= 400 ? 'connector.try_again' : 'connector.not_sent', `${showServer(server)} answered at ${step}: ${showReply(reply, secrets)}${after}`, { brief, step })
}

export function tookTooLong(server: SmtpServer, step: string): Fault {
  return failure('timeout', 'connector.try_again', step, `${showServer(server)} did not answer in time at ${step}`)
}

/** It cannot go well however often it is tried. */
export function impossible(server: SmtpServer, step: string, what: string): Fault {
  return failure('refused', 'connector.not_sent', step, `${showServer(server)} ${what}`)
}

export function brokenOff(server: SmtpServer, step: string, error: Error): Fault {
  const { code = '' } = error as NodeJS.ErrnoException
  const where = showServer(server)
  if (/CERT|ALTNAME|UNABLE_TO_(GET|VERIFY)/.test(code)) {
    return failure('refused', 'connector.not_sent', step, `the certificate of ${where} is not to be trusted (${code}); correct the host, or name the file of its authority as \`ca\``, error)
  }
  if (/^(ERR_SSL_WRONG_VERSION_NUMBER|ERR_SSL_PACKET_LENGTH_TOO_LONG)$/.test(code)) {
    return failure('refused', 'connector.not_sent', step, `${where} does not speak TLS from the start; write \`security: starttls\`, or the port for TLS (usually 465)`, error)
  }
  return failure('unavailable', 'connector.try_again', step, `the connection to ${where} failed at ${step}: ${code || error.message}`, error)
}

function failure(kind: 'timeout' | 'refused' | 'unavailable', code: string, step: string, message: string, cause?: Error): Fault {
  return new Fault(kind, code, message, { brief: message, step }, cause)
}
