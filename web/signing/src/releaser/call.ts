/** What the releaser refused, or that it did not answer (`offline`). */
export class Refusal extends Error {
  readonly code: string
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: string, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message)
    this.name = 'Refusal'
    this.code = code
    this.details = details
  }
}

export interface Request {
  readonly method?: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly body?: unknown
  readonly token?: string | undefined
  readonly signal?: AbortSignal
  /** A long poll may wait; everything else has an answer in this time, in milliseconds. */
  readonly patience?: number
}

/** One request, one answer out of its envelope. @throws Refusal */
export async function call<T>({ method = 'GET', path, body, token, signal, patience = 15_000 }: Request): Promise<T> {
  const answer = await send(path, {
    method,
    headers: {
      accept: 'application/json',
      ...(method !== 'GET' && { 'content-type': 'application/json' }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    ...(method !== 'GET' && { body: JSON.stringify(body ?? {}) }),
    signal: signal ? AbortSignal.any([signal, AbortSignal.timeout(patience)]) : AbortSignal.timeout(patience),
  })
  const envelope = await readEnvelope(answer)
  if (envelope.ok === true) return envelope.data as T
  const { code = 'answer.form', message = `the releaser answered ${answer.status}`, details } = envelope.error ?? {}
  throw new Refusal(code, message, details)
}

interface Envelope {
  readonly ok?: boolean
  readonly data?: unknown
  readonly error?: { readonly code?: string; readonly message?: string; readonly details?: Record<string, unknown> }
}

async function send(path: string, request: RequestInit): Promise<Response> {
  try {
    return await fetch(`/api${path}`, { ...request, cache: 'no-store', credentials: 'omit', redirect: 'error' })
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw offline()
  }
}

async function readEnvelope(answer: Response): Promise<Envelope> {
  try {
    return (await answer.json()) as Envelope
  } catch {
    // whatever stands between here and the releaser answered in its place
    throw answer.status >= 500 ? offline() : new Refusal('answer.form', `the releaser answered ${answer.status} and not in JSON`)
  }
}

function offline(): Refusal {
  return new Refusal('offline', 'The releaser does not answer. Is Castellan running, and is this device in its network?')
}
