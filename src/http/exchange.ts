import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { Fault } from '../kernel/fault.ts'
import { faultPoint } from '../kernel/fault-point.ts'
import { request } from '../kernel/node-http.ts'
import { openConnection, type Network } from './connection.ts'

export interface Outgoing {
  readonly method: string
  readonly url: string
  /** All but those of the connection. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer | null
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** As much of it as was asked for; nothing when it broke off, or was longer. */
  readonly body: Buffer | undefined
  /** Why there is no body, where one was to be read. */
  readonly cut?: 'size' | 'broken'
}

/** How long each part may take, in milliseconds. */
export interface HttpPatience {
  readonly connect: number
  /** From the first byte of the request to the answer. */
  readonly answer: number
}

const usual: HttpPatience = { connect: 20_000, answer: 60_000 }

export interface ExchangeOptions {
  readonly network: Network
  readonly signal: AbortSignal
  readonly commit: () => Promise<void>
  readonly patience?: Partial<HttpPatience> | undefined
  /** Bytes of the answer's body that are read; 0 unless said otherwise. */
  readonly reads?: number
}

/**
 * One request on a connection of its own, and the first answer to it. Redirects are not followed. Up to `commit` nothing is said.
 * @throws Fault `http.try_again` and `http.refused` before that, `http.unknown` after it
 */
export async function exchange(outgoing: Outgoing, { network, signal, commit, patience = {}, reads = 0 }: ExchangeOptions): Promise<Answer> {
  const { connect, answer: answerMs } = { ...usual, ...patience }
  const url = new URL(outgoing.url)
  const socket = await openConnection(url, network, { milliseconds: connect, signal })
  try {
    let isClosed = false
    socket.once('close', () => (isClosed = true))
    socket.once('end', () => (isClosed = true))
    faultPoint('http.connected')
    await commit()
    if (isClosed || socket.destroyed) throw new Fault('unavailable', 'http.try_again', `${url.host} closed the connection before anything was said`, { brief: `${url.host} closed the connection before anything was said` })
    // a signal that was given is not given again: nothing would end the wait for an answer
    if (signal.aborted) throw new Fault('unavailable', 'http.try_again', 'it was given up before anything was said', { brief: 'it was given up before anything was said' })
    faultPoint('http.sent:before')
    const limit = AbortSignal.any([signal, AbortSignal.timeout(answerMs)])
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const { method, headers, body } = outgoing
      const asked = request({
        // without an agent, which would connect by itself
        createConnection: () => socket, method, path: `${url.pathname}${url.search}`, setDefaultHeaders: false,
        headers: { ...headers, host: url.host, connection: 'close', 'user-agent': 'Castellan', ...(body !== null ? { 'content-length': String(body.length) } : method !== 'GET' && method !== 'HEAD' && { 'content-length': '0' }) },
      })
      asked.once('response', resolve)
      asked.once('upgrade', () => reject(new Error('the server speaks another protocol')))
      asked.on('error', reject)
      asked.once('close', () => reject(new Error('the connection ended before the answer')))
      limit.addEventListener('abort', () => reject(new Error('no answer came in time')), { once: true })
      asked.end(body ?? undefined)
    })
    faultPoint('http.sent:after')
    return { status: response.statusCode!, headers: response.headers, ...(await read(response, reads, limit)) }
  } catch (error) {
    if (error instanceof Fault) throw error
    const what = `${url.host} may have taken it: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`
    throw new Fault('unavailable', 'http.unknown', what, { brief: what }, error)
  } finally {
    socket.destroy()
  }
}

/** The body, whole; nothing when it is longer or does not end. The status stands already. */
async function read(response: IncomingMessage, most: number, limit: AbortSignal): Promise<Pick<Answer, 'body' | 'cut'>> {
  response.on('error', () => {})
  if (most === 0) return { body: undefined }
  const stop = () => response.destroy()
  limit.addEventListener('abort', stop, { once: true })
  if (limit.aborted) stop()
  try {
    const pieces: Buffer[] = []
    let length = 0
    for await (const piece of response as AsyncIterable<Buffer>) {
      length += piece.length
      if (length > most) return { body: undefined, cut: 'size' }
      pieces.push(piece)
    }
    return response.complete ? { body: Buffer.concat(pieces) } : { body: undefined, cut: 'broken' }
  } catch {
    return { body: undefined, cut: 'broken' }
  } finally {
    limit.removeEventListener('abort', stop)
  }
}
