import { createServer, type Server, type Socket } from 'node:net'
import { Fault } from './fault.ts'
import { listenOnLoopback, type Listener } from './listen.ts'

/** A server that can be handed connections which came in elsewhere. */
export interface Receiver extends Listener {
  readonly server: Listener['server'] & { emit(event: 'connection', socket: Socket): boolean }
}

/**
 * Listens on a port of 127.0.0.1 and of ::1, for a page whose name is `localhost`: browsers ask ::1 first, and whoever listens
 * there alone would be that page. Only a machine without ::1 goes without.
 * @throws Fault `port.taken`
 */
export async function listenOnLocalhost(app: Receiver, port: number, setting: string): Promise<{ readonly port: number; close(): Promise<void> }> {
  const taken = Number(new URL(await listenOnLoopback(app, port, setting)).port)
  const second = createServer((socket) => void app.server.emit('connection', socket))
  const listening = await listen(second, taken).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT') return false
    throw new Fault('conflict', 'port.taken', `port ${taken} on ::1 is taken by another program, and browsers would take it for this page; stop it, or set \`${setting}\` in castellan.yaml`, { port: taken }, error)
  })
  return {
    port: taken,
    close: async () => {
      if (listening) await new Promise((resolve) => second.close(resolve))
    },
  }
}

function listen(server: Server, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: '::1', port, ipv6Only: true }, () => resolve(true))
  })
}
