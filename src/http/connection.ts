import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { Fault } from '../kernel/fault.ts'
import { pinAddress, type Lookup } from './address.ts'

export interface Network {
  /** May it be a machine of a private network, or this one? */
  readonly isPrivate: boolean
  /** PEM; instead of the authorities that Node knows. */
  readonly ca?: string | undefined
  /** Tests put a name server here. */
  readonly lookup?: Lookup | undefined
}

/**
 * A connection to the host of that address, in TLS where it says https; nothing was said on it yet.
 * @throws Fault `http.try_again`, `http.refused`
 */
export async function openConnection(url: URL, network: Network, { milliseconds, signal }: { milliseconds: number; signal: AbortSignal }): Promise<Socket> {
  if (signal.aborted) throw new Fault('timeout', 'http.refused', 'it was given up before it began')
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const patience = AbortSignal.any([signal, AbortSignal.timeout(milliseconds)])
  const late = Promise.withResolvers<never>()
  late.promise.catch(() => {}) // it may come when nobody waits any more
  patience.addEventListener('abort', () => late.reject(new Fault('timeout', 'http.try_again', `${url.host} did not answer in time`)), { once: true })
  const address = await Promise.race([late.promise, pinAddress(host, network)])
  // an end that came meanwhile is told nobody a second time
  if (patience.aborted) return await late.promise
  const secure = url.protocol === 'https:'
  const port = Number(url.port || (secure ? 443 : 80))
  const socket = secure
    ? connectTls({ host: address, port, ALPNProtocols: ['http/1.1'], minVersion: 'TLSv1.2', ...(isIP(host) === 0 && { servername: host }), ...(network.ca !== undefined && { ca: network.ca }) })
    : connect({ host: address, port })
  try {
    const made = new Promise<void>((resolve, reject) => {
      socket.once(secure ? 'secureConnect' : 'connect', resolve)
      socket.once('error', reject)
      socket.once('close', () => reject(new Error('the server closed the connection')))
    })
    await Promise.race([late.promise, made])
    socket.on('error', () => {})
    return socket
  } catch (error) {
    socket.on('error', () => {})
    socket.destroy()
    throw error instanceof Fault ? error : broken(url, error as NodeJS.ErrnoException)
  }
}

function broken(url: URL, error: NodeJS.ErrnoException): Fault {
  const { code = '' } = error
  if (/CERT|ALTNAME|UNABLE_TO_(GET|VERIFY)/.test(code)) {
    return new Fault('refused', 'http.refused', `the certificate of ${url.host} is not to be trusted (${code}); correct the address, or name the file of its authority as \`ca\``, { suspicion: 'certificate' }, error)
  }
  const message = `the connection to ${url.host} failed: ${code || error.message}`
  return new Fault('unavailable', 'http.try_again', message, { brief: message }, error)
}
