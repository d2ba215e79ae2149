import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { makeCertificate } from './certificate.ts'

export interface ReceivedRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/**
 * Of the next request: an answer, `drop` before the request is read, `cut` after it was taken and before the answer, `stall` without
 * any answer, `babble` what is no HTTP, `twice` two answers, the second another, `half` an answer whose body breaks off.
 */
export type HttpMisbehaviour =
  | 'drop' | 'cut' | 'stall' | 'babble' | 'half'
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }
  | { readonly twice: readonly [number, number] }

export interface HttpReceiver {
  readonly url: string
  readonly port: number
  /** PEM, when it speaks TLS. */
  readonly ca: string | undefined
  readonly received: ReceivedRequest[]
  /** Connections that were made, whether anything was said on them or not. */
  readonly connections: number
  misbehave(how: HttpMisbehaviour): void
}

/** A server for whatever is sent by HTTP, that keeps what it takes. `answer` says what it answers usually. */
export async function startHttpReceiver(
  t: Pick<TestContext, 'after'>, { secure = false, answer = () => ({ status: 200, body: 'thank you' }) }: { secure?: boolean; answer?: (request: ReceivedRequest) => { status: number; body: string; headers?: Record<string, string> } } = {},
): Promise<HttpReceiver> {
  const received: ReceivedRequest[] = []
  const sockets = new Set<Socket>()
  let next: HttpMisbehaviour | undefined
  let connections = 0
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const how = next
    next = undefined
    if (how === 'drop') return void request.socket.destroy()
    const pieces: Buffer[] = []
    try {
      for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece)
    } catch {
      return // who asked died in the middle of it
    }
    const taken = { method: request.method!, path: request.url!, headers: request.headers, body: Buffer.concat(pieces) }
    received.push(taken)
    const raw = (text: string) => request.socket.end(text)
    if (how === 'cut') return void request.socket.destroy()
    if (how === 'stall') return
    if (how === 'babble') return void raw('220 mail.example.org ESMTP\r\n')
    if (how === 'half') return void raw('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 400\r\n\r\n{"ok":tr')
    if (how !== undefined && 'twice' in how) return void raw(how.twice.map((status) => `HTTP/1.1 ${status} Said\r\ncontent-length: 2\r\n\r\n{}`).join(''))
    const { status, body = '', headers = {} } = how === undefined ? { headers: {}, ...answer(taken) } : how
    response.writeHead(status, headers).end(body)
  }
  const certificate = secure ? makeCertificate() : undefined
  const server = certificate ? createSecureServer({ key: certificate.key, cert: certificate.certificate }, (...args) => void handle(...args)) : createServer((...args) => void handle(...args))
  server.on('connection', (socket: Socket) => {
    connections += 1
    sockets.add(socket)
    socket.on('error', () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `${secure ? 'https' : 'http'}://localhost:${port}`, port, ca: certificate?.certificate, received,
    get connections() {
      return connections
    },
    misbehave: (how) => void (next = how),
  }
}
