import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** As much of a Fastify as it takes to know its connections and when it closes. */
export interface Closing {
  readonly server: {
    on(event: 'connection', listener: (socket: Socket) => void): unknown
    on(event: 'request', listener: (request: IncomingMessage, response: ServerResponse) => void): unknown
  }
  addHook(name: 'preClose', hook: () => Promise<void>): unknown
}

/**
 * Once the server closes, each connection ends as soon as nothing is being answered on it.
 * Node waits for a connection on which nothing was asked yet (browsers open them ahead of need), and for one that is kept after its last answer:
 * the first would keep a server from closing for ever, the second for over a minute.
 */
export function hangUpWhenClosing(app: Closing): void {
  const answering = new Map<Socket, number>()
  let closing = false
  app.server.on('connection', (socket) => {
    if (closing) return void socket.destroy()
    answering.set(socket, 0)
    socket.once('close', () => answering.delete(socket))
  })
  app.server.on('request', ({ socket }, response) => {
    answering.set(socket, (answering.get(socket) ?? 0) + 1)
    response.once('close', () => {
      const left = answering.get(socket)
      if (left === undefined) return
      answering.set(socket, left - 1)
      if (closing && left === 1) socket.destroySoon()
    })
  })
  app.addHook('preClose', async () => {
    closing = true
    for (const [socket, count] of answering) if (count === 0) socket.destroy()
  })
}
