import { StringDecoder } from 'node:string_decoder'
import type { Dispatcher } from 'undici'
import { Fault } from '../kernel/fault.ts'
import { openPool, type HttpPool } from '../kernel/http-pool.ts'
import { watchSilence } from './silence.ts'
import type { UpstreamTimeouts } from './upstream.ts'

/** HTTP to one upstream: JSON out, JSON or lines of text in. Follows no redirect and obeys no proxy variable: the address is the one that was declared. */
export interface Transport {
  getJson(path: string, signal?: AbortSignal): Promise<unknown>
  postJson(path: string, body: unknown, signal?: AbortSignal): Promise<unknown>
  /** The lines of a streamed answer, as they come. */
  postLines(path: string, body: unknown, signal: AbortSignal, options?: PostOptions): AsyncGenerator<string, void, void>
  /** The bytes of a streamed answer, as they come. */
  postRaw(path: string, body: unknown, signal: AbortSignal, options?: PostOptions): AsyncGenerator<Buffer, void, void>
  /** The bytes of an answer that is not streamed. It is waited for four times as long as for a first byte, since the model has to think of all of it first. */
  postWhole(path: string, body: unknown, signal: AbortSignal, options?: Pick<PostOptions, 'headers'>): Promise<Buffer>
  close(): Promise<void>
}

export interface PostOptions {
  /** Of this request alone. Those of the transport itself, the key among them, win. */
  readonly headers?: Readonly<Record<string, string>>
  /** Asked after each piece: was that the last one that is wanted? The rest is let run out, so that the connection can be used again. */
  readonly isOver?: () => boolean
}

export interface TransportOptions {
  readonly name: string
  readonly url: string
  /** A bearer token. */
  readonly key?: string | undefined
  readonly headers?: Readonly<Record<string, string>>
  /** A Unix socket to reach it by. */
  readonly socketPath?: string
  readonly timeouts: UpstreamTimeouts
  /** For wires that tell in the body of an error what others tell by status and headers. */
  readonly readError?: ReadError
}

/** The status that an error is to be read as, and the seconds that it asks to wait. */
export type ReadError = (status: number, body: unknown) => { readonly status: number; readonly retryAfter: number | undefined }

const longestLine = 8 * 1024 * 1024
const longestJson = 16 * 1024 * 1024
const connectionsPerUpstream = 1_024
/** Milliseconds for what needs no model: lists and descriptions. */
const questionTimeout = 10_000

export function createTransport(options: TransportOptions): Transport {
  const { name, timeouts } = options
  const address = new URL(options.url)
  const base = address.pathname.replace(/\/$/, '')
  const headers: Record<string, string> = { accept: 'application/json, text/event-stream', 'content-type': 'application/json', ...options.headers }
  if (options.key !== undefined) headers['authorization'] = `Bearer ${options.key}`
  let pool: HttpPool | undefined

  async function request(method: 'GET' | 'POST', path: string, body: unknown, signal: AbortSignal, more?: Readonly<Record<string, string>>): Promise<Dispatcher.ResponseData> {
    pool ??= openPool(address.origin, { connections: connectionsPerUpstream, connect: { timeout: timeouts.connect, ...(options.socketPath !== undefined && { socketPath: options.socketPath }) } })
    const response = await pool.request({
      method,
      path: base + path,
      headers: more ? { ...more, ...headers } : headers,
      signal,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      // silence is watched by ourselves, one clock from the request to the last byte
      headersTimeout: 0,
      bodyTimeout: 0,
    })
    if (response.statusCode !== 200) throw await faultOf(name, response, options.readError)
    return response
  }

  async function whole(method: 'GET' | 'POST', path: string, body: unknown, signal: AbortSignal | undefined, firstByte: number, more?: Readonly<Record<string, string>>): Promise<Buffer> {
    const silence = watchSilence(name, { ...timeouts, firstByte }, signal)
    try {
      const response = await request(method, path, body, silence.signal, more)
      // one that says how long it is need not be watched
      return Number(response.headers['content-length']) <= longestJson ? Buffer.from(await response.body.arrayBuffer()) : await readBytes(response.body, longestJson, name)
    } catch (error) {
      throw explain(error, name, silence.signal)
    } finally {
      silence.end()
    }
  }

  async function json(method: 'GET' | 'POST', path: string, body: unknown, signal: AbortSignal | undefined): Promise<unknown> {
    const bytes = await whole(method, path, body, signal, Math.min(timeouts.firstByte, questionTimeout))
    return parseJson(name, bytes.toString('utf8'))
  }

  async function* raw(path: string, body: unknown, signal: AbortSignal, { headers: more, isOver }: PostOptions = {}): AsyncGenerator<Buffer, void, void> {
    const silence = watchSilence(name, timeouts, signal)
    try {
      const response = await request('POST', path, body, silence.signal, more)
      let hasEnded = false
      try {
        for await (const bytes of response.body.iterator({ destroyOnReturn: false })) {
          // a reader who takes his time is not a silent upstream
          silence.pause()
          yield bytes as Buffer
          silence.signal.throwIfAborted()
          if (isOver?.()) return
          silence.resume()
        }
        hasEnded = true
      } finally {
        if (!hasEnded) leave(response.body, isOver?.() === true)
      }
    } catch (error) {
      throw explain(error, name, silence.signal)
    } finally {
      silence.end()
    }
  }

  return {
    getJson: (path, signal) => json('GET', path, undefined, signal),
    postJson: (path, body, signal) => json('POST', path, body, signal),
    postRaw: raw,
    postWhole: (path, body, signal, more) => whole('POST', path, body, signal, 4 * timeouts.firstByte, more?.headers),
    async *postLines(path, body, signal, options) {
      const decoder = new StringDecoder('utf8')
      let rest = ''
      for await (const bytes of raw(path, body, signal, options)) {
        const lines = (rest + decoder.write(bytes)).split('\n')
        rest = lines.pop() ?? ''
        if (rest.length > longestLine) throw new Fault('unavailable', 'upstream.malformed', `upstream ${name} sent a line of more than ${longestLine} characters`)
        for (const line of lines) {
          yield line.endsWith('\r') ? line.slice(0, -1) : line
          signal.throwIfAborted()
        }
      }
      rest += decoder.end()
      if (rest !== '') yield rest
    },
    close: async () => {
      await pool?.close()
    },
  }
}

async function faultOf(name: string, response: Dispatcher.ResponseData, readError?: ReadError): Promise<Fault> {
  const body = jsonOf(await readText(response.body, 64 * 1024, name).catch(() => ''))
  const { status, retryAfter: told } = readError?.(response.statusCode, body) ?? { status: response.statusCode, retryAfter: undefined }
  const said = messageOf(body)
  const details = { upstream: name, status, ...(told === undefined ? retryAfterOf(response) : { retryAfter: told }) }
  if (status === 429) {
    return new Fault('unavailable', 'upstream.limited', `upstream ${name} takes no more calls now (429)`, details)
  }
  if (status === 401 || status === 403) {
    return new Fault('unavailable', 'upstream.key', `upstream ${name} refused the key (${status}); check its secret in castellan.yaml`, details)
  }
  if (status >= 300 && status < 400) {
    return new Fault('unavailable', 'upstream.redirected', `upstream ${name} answered ${status} and leads elsewhere, which is not followed; correct its url in castellan.yaml if it has moved`, details)
  }
  if (status === 404) return new Fault('missing', 'upstream.model', `upstream ${name} does not have that model${said}`, details)
  if (status === 400 || status === 413 || status === 422) {
    return new Fault('invalid', 'upstream.rejected', `upstream ${name} rejected the request${said}`, details)
  }
  return new Fault('unavailable', 'upstream.failed', `upstream ${name} answered ${status}${said}`, details)
}

/** Seconds, in its own words (`retry-after-ms`), as a number, or until a date by the upstream's clock (RFC 9110, 10.2.3). */
function retryAfterOf({ headers }: Dispatcher.ResponseData): { retryAfter?: number } {
  const text = (name: string) => [headers[name]].flat()[0]
  const milliseconds = Number(text('retry-after-ms') ?? Number.NaN)
  if (milliseconds >= 0) return { retryAfter: milliseconds / 1_000 }
  const given = text('retry-after')
  if (given === undefined) return {}
  const seconds = Number(given)
  if (seconds >= 0) return { retryAfter: seconds }
  const until = Date.parse(given) - Date.parse(text('date') ?? new Date().toUTCString())
  return Number.isFinite(until) ? { retryAfter: Math.max(0, until / 1_000) } : {}
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function messageOf(body: unknown): string {
  const { error } = (body ?? {}) as { error?: string | { message?: unknown } | null }
  const message = typeof error === 'string' ? error : error?.message
  return typeof message === 'string' && message !== '' ? `: ${message.slice(0, 300)}` : ''
}

async function readText(body: AsyncIterable<Buffer>, limit: number, name: string): Promise<string> {
  return (await readBytes(body, limit, name)).toString('utf8')
}

async function readBytes(body: AsyncIterable<Buffer>, limit: number, name: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of body) {
    length += chunk.length
    if (length > limit) throw new Fault('unavailable', 'upstream.malformed', `upstream ${name} sent more than ${limit} bytes`)
    chunks.push(chunk)
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
}

/** Milliseconds that an upstream has to end an answer of which the last word was said. */
const goodbyeTimeout = 500

/** Whoever has heard enough lets the rest run out; whoever has not hangs up. */
function leave(body: Dispatcher.ResponseData['body'], hasHeardEnough: boolean): void {
  body.on('error', () => {})
  if (!hasHeardEnough) return void body.destroy()
  const timer = setTimeout(() => body.destroy(), goodbyeTimeout)
  timer.unref()
  body.once('close', () => clearTimeout(timer)).resume()
}

export function parseJson(name: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Fault('unavailable', 'upstream.malformed', `upstream ${name} sent something that is not JSON`, { upstream: name })
  }
}

/** The silence or the caller explain an abort; a failure below HTTP means that the upstream cannot be reached; the rest is a defect. */
function explain(error: unknown, name: string, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason
  if (error instanceof Fault) return error
  const { code } = error as { code?: string }
  if (code === undefined) return error
  return new Fault('unavailable', 'upstream.unreachable', `upstream ${name} cannot be reached (${code}); is it running?`, { upstream: name, code }, error)
}
