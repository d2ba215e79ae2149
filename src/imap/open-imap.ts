import { X509Certificate } from 'node:crypto'
import { checkServerIdentity, type ConnectionOptions } from 'node:tls'
import { ImapFlow } from 'imapflow'
import type { ImapAccount } from '../house/index.ts'
import { imapFault } from './imap-fault.ts'

/** What a server may make this process hold and wait for, at most. */
export interface ImapLimits {
  /** Bytes of one literal; a larger one ends the session. */
  readonly literal: number
  /** How long a connection may be silent when it should speak, in milliseconds. A quiet one that waits for mail is asked whether it is there. */
  readonly silenceMs: number
}

const longestLine = 1024 * 1024
const connectMs = 20_000
/** After this much quiet the connection begins to wait for news (IDLE), in milliseconds. */
const quietMs = 250
/** Servers end an IDLE after 29 minutes (RFC 2177); it is renewed long before. In milliseconds. */
const renewIdleMs = 4 * 60_000

export interface ImapSessionOptions {
  /** Gives up, also while it connects. */
  readonly signal?: AbortSignal
  /** Hears how the session ended, if it does not end by itself. */
  onError?(error: Error): void
}

/**
 * Logs in to a mail server.
 * @throws Fault `imap.credentials`, `imap.certificate`, `imap.encryption`, `imap.unreachable`
 */
export async function openImap(account: ImapAccount, password: string, limits: ImapLimits, { signal, onError = () => {} }: ImapSessionOptions = {}): Promise<ImapFlow> {
  const client = new ImapFlow({
    host: account.host,
    port: account.port,
    secure: account.security === 'tls',
    // never "if the server offers it": who stands between could take the offer away
    ...(account.security !== 'tls' && { doSTARTTLS: account.security === 'starttls' }),
    tls: tlsOptions(account),
    auth: { user: account.user, pass: password },
    clientInfo: { name: 'Castellan' },
    logger: false,
    disableCompression: true,
    disableBinary: true,
    autoIdleDelay: quietMs,
    maxIdleTime: renewIdleMs,
    connectionTimeout: connectMs,
    greetingTimeout: connectMs,
    socketTimeout: limits.silenceMs,
    maxLineLength: longestLine,
    maxLiteralSize: limits.literal,
    maxResponseSize: limits.literal + longestLine,
  })
  // before connect(): without a listener, a connection that drops would end the process
  client.on('error', onError)
  const giveUp = () => client.close()
  signal?.addEventListener('abort', giveUp, { once: true })
  try {
    signal?.throwIfAborted()
    await client.connect()
    signal?.throwIfAborted()
    leaveWhenSilent(client, limits.silenceMs * patience, onError)
    return client
  } catch (error) {
    client.close()
    throw imapFault(account, error)
  } finally {
    signal?.removeEventListener('abort', giveUp)
  }
}

/** A quiet session asks whether the server is there each time that it was silent for as long as it may be; after so many times, it is left. */
const patience = 2.5

/** The library waits for ever where a server takes a command and does not let it begin, as IDLE. */
function leaveWhenSilent(client: ImapFlow, afterMs: number, onError: (error: Error) => void): void {
  let heard = -1
  const timer = setInterval(() => {
    const { received } = client.stats()
    if (received !== heard) {
      heard = received
      return
    }
    onError(new Error('it was silent for too long'))
    client.close()
  }, afterMs)
  timer.unref()
  client.once('close', () => clearInterval(timer))
}

/** A declared certificate is trusted for this account alone; the very one that is declared, whatever name and date stand in it. */
function tlsOptions({ ca }: ImapAccount): ConnectionOptions {
  if (ca === undefined) return { minVersion: 'TLSv1.2' }
  const pinned = certificatesOf(ca).map(({ fingerprint256 }) => fingerprint256)
  return {
    minVersion: 'TLSv1.2',
    ca,
    checkServerIdentity: (host, certificate) => (pinned.includes(certificate.fingerprint256) ? undefined : checkServerIdentity(host, certificate)),
  }
}

function certificatesOf(pem: string): X509Certificate[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)?.map((one) => new X509Certificate(one)) ?? []
}
