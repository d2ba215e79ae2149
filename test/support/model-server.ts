import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { piecesOf, type Piece, type ScriptedAnswer, type ScriptedModel } from './model-script.ts'
import { embedding } from './model-wire-embed.ts'
import { anthropicWire } from './model-wire-anthropic.ts'
import { geminiEmbedding, geminiError, geminiModels, geminiPath, geminiWire } from './model-wire-gemini.ts'
import { ollamaWire } from './model-wire-ollama.ts'
import { openaiWire } from './model-wire-openai.ts'
import { responsesWire } from './model-wire-responses.ts'

export type { Misbehaviour, Quirk, ScriptedAnswer, ScriptedModel } from './model-script.ts'

/** One request as it arrived. */
export interface LoggedRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  /** The body so far; complete once `read` resolves. */
  readonly body: Buffer
  readonly json: Record<string, unknown> | undefined
  /** Resolves when the exchange is over: answered to the end, or given up by the client. */
  readonly over: Promise<'answered' | 'abandoned'>
}

/** How one wire writes an answer. */
export interface Wire {
  readonly streams: boolean
  readonly contentType: string
  head(): string[]
  piece(piece: Piece): string[]
  error(message: string): string
  tail(): string[]
  whole(): unknown
}

type Script = ScriptedAnswer | ((request: LoggedRequest) => ScriptedAnswer)

export interface ModelServer {
  readonly url: string
  readonly port: number
  readonly requests: LoggedRequest[]
  /** Requests that carried a conversation. */
  calls(): LoggedRequest[]
  /** Connections ever accepted. */
  connections(): number
  /** Every byte that ever arrived: request lines, headers and bodies. For canaries. */
  bytes(): Buffer
  /** What comes next: each answer is used once, in order; then the standing one. */
  next(...answers: Script[]): void
  /** The standing answer. */
  answer(script: Script): void
  /** Replaces the installed models. */
  install(models: readonly ScriptedModel[]): void
  /** Resolves while an answer is paused or stalled. */
  held(): Promise<void>
  /** Lets those that are held now go on. */
  release(): void
  /** Refuses connections from now on, and drops the open ones. */
  down(): Promise<void>
  up(): Promise<void>
  close(): Promise<void>
}

export interface ModelServerOptions {
  readonly models?: readonly ScriptedModel[]
  /** The key that every wire but Ollama's wants. */
  readonly key?: string
}

const standing: ScriptedAnswer = { text: ['Good ', 'morning.'], usage: { input: 11, output: 3 } }

/** A loopback server that speaks the wires of Ollama, OpenAI, Anthropic and Gemini, says what it is told to say, and keeps every byte it was sent. */
export async function startModelServer(options: ModelServerOptions = {}): Promise<ModelServer> {
  const requests: LoggedRequest[] = []
  const received: Buffer[] = []
  const sockets = new Set<Socket>()
  const queue: Script[] = []
  let models = options.models ?? [{ name: 'scripted:latest' }]
  let script: Script = standing
  let accepted = 0
  let released = Promise.withResolvers<void>()
  let holding = 0
  let someHeld = Promise.withResolvers<void>()

  const calls = () => requests.filter((request) => ['/api/chat', '/api/generate', '/v1/chat/completions', '/v1/responses', '/v1/messages'].includes(request.path) || request.path.endsWith('enerateContent'))

  const server = createServer((request, response) => {
    void handle(request, response).catch((error: unknown) => response.destroy(error as Error))
  })
  server.on('connection', (socket) => {
    accepted += 1
    sockets.add(socket)
    socket.on('data', (bytes: Buffer) => received.push(bytes))
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const port = (server.address() as AddressInfo).port

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const logged = await log(request, response)
    const path = logged.path
    if (path.startsWith('/v1beta/')) return gemini(logged, request, response)
    if (path.startsWith('/v1/') && options.key && request.headers.authorization !== `Bearer ${options.key}` && request.headers['x-api-key'] !== options.key)
      return json(response, 401, { error: { message: 'Incorrect API key provided', type: 'invalid_request_error', code: 'invalid_api_key' } })
    if (path === '/api/tags') return json(response, 200, { models: models.map(asTag) })
    if (path === '/v1/models') return json(response, 200, { object: 'list', data: models.map((model) => ({ id: model.name, object: 'model', created: 1, owned_by: 'script' })) })
    const model = models.find((known) => known.name === logged.json?.['model'])
    if (path === '/api/show') return model ? json(response, 200, asShow(model)) : json(response, 404, { error: `model '${String(logged.json?.['model'])}' not found` })
    if (path === '/api/chat' || path === '/api/generate') return say(logged, response, model, (answer) => ollamaWire(answer, logged))
    if (path === '/v1/chat/completions') return say(logged, response, model, (answer) => openaiWire(answer, logged))
    if (path === '/v1/messages') return say(logged, response, model, (answer) => anthropicWire(answer, logged))
    if (path === '/v1/messages/count_tokens') return count(logged, response, model)
    if (path === '/v1/responses') return say(logged, response, model, (answer) => responsesWire(answer, logged))
    if (path === '/api/embed' || path === '/v1/embeddings') return embed(logged, response, model)
    json(response, 404, { error: 'not found' })
  }

  async function gemini(logged: LoggedRequest, { url }: IncomingMessage, response: ServerResponse): Promise<void> {
    if (options.key && logged.headers['x-goog-api-key'] !== options.key) return json(response, 400, geminiError(400, 'API key not valid. Please pass a valid API key.', undefined, 'API_KEY_INVALID'))
    if (logged.path === '/v1beta/models') return json(response, 200, geminiModels(models.map(({ name }) => name), new URL(url!, 'http://it').searchParams.get('pageToken')))
    const { model: asked, method } = geminiPath(logged.path) ?? {}
    const model = models.find((known) => known.name === asked)
    if (!model || !method) return json(response, 404, geminiError(404, `models/${asked} is not found for API version v1beta, or is not supported for ${method}.`))
    if (method === 'countTokens') return count(logged, response, model)
    if (method === 'batchEmbedContents') return embed(logged, response, model)
    return say(logged, response, model, (answer) => geminiWire(answer, logged))
  }

  async function embed(request: LoggedRequest, response: ServerResponse, model: ScriptedModel | undefined): Promise<void> {
    const chosen = queue.shift() ?? script
    const { misbehaves: fault } = typeof chosen === 'function' ? chosen(request) : chosen
    if (!model) return json(response, 404, { error: { message: `model '${String(request.json?.['model'])}' not found` } })
    if (fault?.kind === 'status') return json(response, fault.status, { error: { message: fault.message ?? `scripted ${fault.status}` } })
    if (fault?.kind === 'stall') await hold()
    if (fault?.kind === 'die') return void response.destroy()
    json(response, 200, (request.path.startsWith('/v1beta/') ? geminiEmbedding : embedding)(request, fault?.kind === 'malformed'))
  }

  /** Tokens before a call: those that the script names, or none. */
  async function count(request: LoggedRequest, response: ServerResponse, model: ScriptedModel | undefined): Promise<void> {
    const chosen = queue.shift() ?? script
    const { misbehaves: fault, usage, quirks } = typeof chosen === 'function' ? chosen(request) : chosen
    if (!model || fault?.kind === 'status') return json(response, fault?.kind === 'status' ? fault.status : 404, { error: { message: 'scripted' } })
    const tokens = quirks?.includes('no-usage') ? 0 : (usage?.input ?? 7)
    json(response, 200, request.path.startsWith('/v1beta/') ? { totalTokens: tokens, promptTokensDetails: [{ modality: 'TEXT', tokenCount: tokens }] } : { input_tokens: tokens })
  }

  async function log(request: IncomingMessage, response: ServerResponse): Promise<LoggedRequest> {
    const over = Promise.withResolvers<'answered' | 'abandoned'>()
    response.on('close', () => over.resolve(response.writableFinished ? 'answered' : 'abandoned'))
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    const logged: LoggedRequest = {
      method: request.method ?? '',
      path: (request.url ?? '').split('?')[0] ?? '',
      headers: request.headers,
      body,
      json: body.length === 0 ? undefined : (JSON.parse(body.toString()) as Record<string, unknown>),
      over: over.promise,
    }
    requests.push(logged)
    return logged
  }

  async function say(request: LoggedRequest, response: ServerResponse, model: ScriptedModel | undefined, wireOf: (answer: ScriptedAnswer) => Wire): Promise<void> {
    const chosen = queue.shift() ?? script
    const answer = typeof chosen === 'function' ? chosen(request) : chosen
    const wire = wireOf(answer)
    const fault = answer.misbehaves
    if (!model) return json(response, 404, wire.error(`model '${String(request.json?.['model'])}' not found`))
    if (fault?.kind === 'status') {
      // Google says it in the body
      if (request.path.startsWith('/v1beta/')) return json(response, fault.status, geminiError(fault.status, fault.message ?? `scripted ${fault.status}`, fault.retryAfter))
      if (fault.retryAfter !== undefined) response.setHeader('retry-after', String(fault.retryAfter))
      return json(response, fault.status, wire.error(fault.message ?? `scripted ${fault.status}`))
    }
    if (fault?.kind === 'stall') await hold()
    if (!wire.streams) {
      if (fault?.kind === 'pause') await hold()
      if (fault?.kind === 'die') return void response.destroy()
      if (fault?.kind === 'malformed') return json(response, 200, '{"half":')
      return json(response, 200, wire.whole())
    }
    response.writeHead(200, { 'content-type': wire.contentType })
    await stream(wire, answer, response)
  }

  async function hold(): Promise<void> {
    holding += 1
    someHeld.resolve()
    await released.promise
    holding -= 1
    if (holding === 0) someHeld = Promise.withResolvers()
  }

  async function stream(wire: Wire, answer: ScriptedAnswer, response: ServerResponse): Promise<void> {
    const fault = answer.misbehaves
    // flushed before anything else happens, so that a connection that is dropped drops nothing that was said before
    const writeBytes = (bytes: string | Buffer) => new Promise<void>((resolve) => void response.write(bytes, () => resolve()))
    const write = async (text: string) => {
      const bytes = Buffer.from(text)
      const size = answer.quirks?.includes('in-small-pieces') ? smallPiece : bytes.length
      for (let at = 0; at < bytes.length; at += size) await writeBytes(bytes.subarray(at, at + size))
    }
    let said = 0
    for (const text of wire.head()) await write(text)
    for (const piece of [...piecesOf(answer), undefined]) {
      if (fault?.kind === 'pause' && said === fault.after) await hold()
      if (fault?.kind === 'die' && said === fault.after) return void response.destroy()
      if (fault?.kind === 'cut' && said === fault.after) return void response.end()
      if (fault?.kind === 'error' && said === fault.after) return void response.end(wire.error(fault.message))
      if (fault?.kind === 'malformed' && said === fault.after) return void response.end('data: {"half":\n\n{"half":\n')
      if (fault?.kind === 'slow') await delay(fault.milliseconds)
      if (answer.quirks?.includes('keep-alive')) await write(wire.contentType === 'text/event-stream' ? ': keep-alive\n\n' : '\n')
      if (piece === undefined) break
      for (const text of wire.piece(piece)) await write(text)
      said += 1
    }
    for (const text of wire.tail()) await write(text)
    response.end()
  }

  const hangUp = async () => {
    const closed = new Promise((resolve) => server.close(resolve))
    for (const socket of sockets) socket.destroy()
    await closed
  }

  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    calls,
    connections: () => accepted,
    bytes: () => Buffer.concat(received),
    next: (...answers) => void queue.push(...answers),
    answer: (standingScript) => {
      script = standingScript
    },
    install: (installed) => {
      models = installed
    },
    held: () => someHeld.promise,
    release: () => {
      released.resolve()
      released = Promise.withResolvers()
    },
    down: hangUp,
    up: async () => {
      server.listen(port, '127.0.0.1')
      await once(server, 'listening')
    },
    close: async () => {
      released.resolve()
      if (server.listening) await hangUp()
    },
  }
}

/** Bytes; no divisor of what characters and events are long. */
const smallPiece = 7

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(typeof body === 'string' ? body : JSON.stringify(body))
}

function asTag(model: ScriptedModel): unknown {
  return {
    name: model.name,
    model: model.name,
    modified_at: '2026-01-01T00:00:00Z',
    size: 1,
    digest: 'd'.repeat(64),
    details: { format: 'gguf', family: model.family ?? 'llama', families: [model.family ?? 'llama'], parameter_size: '1B', quantization_level: 'Q4_0' },
    ...(model.remoteHost ? { remote_host: model.remoteHost, remote_model: model.name } : {}),
  }
}

function asShow(model: ScriptedModel): unknown {
  return {
    details: { family: model.family ?? 'llama' },
    model_info: { 'general.architecture': 'llama', 'llama.context_length': model.contextLength ?? 32768 },
    capabilities: model.capabilities ?? ['completion', 'tools'],
    ...(model.remoteHost ? { remote_host: model.remoteHost, remote_model: model.name } : {}),
  }
}
