import { Agent, request, type Dispatcher } from 'undici'
import { Fault, type FaultKind } from '../../kernel/fault.ts'
import { isRefusal, notRunning, refused } from './running-house.ts'

/** One of the house's Unix sockets. Answers with the data of the envelope; an error in it is thrown as the Fault that it was. */
export interface SocketClient {
  get<T>(path: string, query?: Query, options?: CallOptions): Promise<T>
  post<T>(path: string, body?: unknown, options?: CallOptions): Promise<T>
  close(): Promise<void>
}

type Query = Readonly<Record<string, string | number | undefined>>

interface CallOptions {
  /** Seconds that the answer may take. */
  readonly patience?: number
}

const kinds: Readonly<Record<number, FaultKind>> = { 400: 'invalid', 401: 'refused', 403: 'refused', 404: 'missing', 409: 'conflict', 410: 'conflict', 422: 'invalid', 503: 'unavailable', 504: 'timeout' }
const patienceSeconds = 30

/** Opens nothing yet: the first call connects. */
export function createSocketClient(socketPath: string, home: string): SocketClient {
  const dispatcher = new Agent({ connect: { socketPath }, pipelining: 1 })

  async function call<T>(method: 'GET' | 'POST', path: string, { body, query, patience = patienceSeconds }: CallOptions & { body?: unknown; query?: Query }): Promise<T> {
    const search = new URLSearchParams(Object.entries(query ?? {}).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)] as [string, string]])))
    const options = {
      dispatcher, method,
      headersTimeout: patience * 1000,
      bodyTimeout: patience * 1000,
      ...(method === 'POST' && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body ?? {}) }),
    }
    let answer: Dispatcher.ResponseData
    try {
      answer = await request(`http://castellan${path}${search.size > 0 ? `?${search}` : ''}`, options)
    } catch (error) {
      throw connectionFault(error, socketPath, home)
    }
    return open<T>(answer)
  }

  return {
    get: (path, query, options) => call('GET', path, { ...options, ...(query && { query }) }),
    post: (path, body, options) => call('POST', path, { ...options, body }),
    close: () => dispatcher.close(),
  }
}

async function open<T>({ statusCode, body }: Dispatcher.ResponseData): Promise<T> {
  const text = await body.text()
  let envelope: { ok?: boolean; data?: T; error?: { code?: string; message?: string; details?: Record<string, unknown> } }
  try {
    envelope = JSON.parse(text) as typeof envelope
  } catch {
    throw new Fault('internal', 'answer.form', `the house answered ${statusCode} with something that is not JSON`)
  }
  if (envelope.ok === true) return envelope.data as T
  const { code = 'unknown', message = `the house answered ${statusCode}`, details } = envelope.error ?? {}
  throw new Fault(kinds[statusCode] ?? 'internal', code, message, details)
}

function connectionFault(error: unknown, socketPath: string, home: string): Fault {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOENT' || code === 'ECONNREFUSED') return notRunning(home)
  if (isRefusal(error)) return refused(socketPath)
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') return new Fault('timeout', 'answer.late', 'the house took too long to answer; `castellan doctor` says how it is')
  return new Fault('unavailable', 'answer.lost', `the connection to the house was lost (${(error as Error).message}); \`castellan status\` says how it is`)
}
