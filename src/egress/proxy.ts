import { chmodSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { Fault } from '../kernel/fault.ts'
import { pinAddress, type Lookup } from '../http/index.ts'
import { createServer } from '../kernel/node-http.ts'
import { findDestination, type Destination, type Refusal } from './destination.ts'
import { explain } from './explain.ts'
import { openTunnel, type TunnelEnd } from './tunnel.ts'

export interface EgressLimits {
  /** Asked for in the whole run, whether allowed or not. */
  readonly connections: number
  /** In the whole run, to all destinations together, in each direction. */
  readonly bytes: number
  readonly connectMs: number
  /** Without a byte in either direction. */
  readonly idleMs: number
}

/** Names, numbers and outcomes; nothing of what passes. */
export interface EgressLedger {
  /** Is awaited before anything is connected. Returns by what it is closed. */
  opened(connection: Destination & { readonly address: string }): Promise<string>
  closed(id: string, end: TunnelEnd): Promise<void>
  /** `asked` is the command's word, whatever that is. */
  refused(asked: string, reason: Refusal): Promise<void>
}

export interface EgressOptions {
  readonly destinations: readonly Destination[]
  /** May they be machines of a private network, or this one? */
  readonly isPrivate: boolean
  readonly limits?: Partial<EgressLimits> | undefined
  readonly ledger: EgressLedger
  /** Tests put a name server here. */
  readonly lookup?: Lookup | undefined
}

/** The way out of one run of one command. */
export interface EgressProxy {
  /** Ends every connection; resolves when the ledger has them all. */
  close(): Promise<void>
}

const usual: EgressLimits = { connections: 200, bytes: 64 * 1024 * 1024, connectMs: 10_000, idleMs: 60_000 }
const atOnce = 32

/**
 * Listens on a Unix socket for CONNECT to the declared destinations, and for nothing else. Each name is resolved once and held to its
 * address, whatever a name server says later. Who may come to the socket is decided by its folder.
 */
export async function openEgressProxy(path: string, { destinations, isPrivate, limits: given, ledger, lookup }: EgressOptions): Promise<EgressProxy> {
  const limits = { ...usual, ...given }
  const addresses = new Map<string, Promise<string>>()
  const budget = { up: limits.bytes, down: limits.bytes }
  const working = new Set<Promise<unknown>>()
  const sockets = new Set<Socket>()
  const ending = new AbortController()
  let asked = 0
  let refused = 0

  function addressOf(host: string): Promise<string> {
    const known = addresses.get(host)
    if (known) return known
    const found = pinAddress(host, { isPrivate, lookup })
    addresses.set(host, found)
    found.catch(() => addresses.delete(host)) // who got no answer may ask again; who got one may not
    return found
  }

  async function connect(authority: string, near: Duplex, head: Buffer): Promise<void> {
    const destination = asked > limits.connections ? 'limit' : findDestination(authority, destinations)
    if (typeof destination === 'string') return await refuse(authority, destination, near)
    let address: string
    try {
      address = await addressOf(destination.host)
    } catch (error) {
      return await refuse(authority, error instanceof Fault && error.code === 'http.refused' ? 'address' : 'unresolved', near)
    }
    if (ending.signal.aborted) return void near.destroy()
    const id = await ledger.opened({ ...destination, address })
    const end = await openTunnel({ near, head, destination, address, limits, budget, signal: ending.signal })
    await ledger.closed(id, end)
  }

  async function refuse(authority: string, reason: Refusal, near: Duplex): Promise<void> {
    near.end(answer(reason, explain(reason, destinations)))
    if (refused++ <= limits.connections) await ledger.refused(authority, reason)
  }

  function work(near: Duplex, task: Promise<void>): void {
    const done = task.catch(() => near.destroy()).finally(() => working.delete(done)) // a row that cannot be written is a connection that is not made
    working.add(done)
  }

  const server = createServer({ maxHeaderSize: 8_192, headersTimeout: 10_000, requestTimeout: 10_000, keepAlive: false })
  server.maxConnections = atOnce
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('connect', (request: IncomingMessage, near: Duplex, head: Buffer) => {
    asked += 1
    work(near, connect(request.url ?? '', near, head))
  })
  server.on('request', (request: IncomingMessage) => {
    asked += 1
    work(request.socket, refuse(hostOf(request.url), 'plain', request.socket))
  })
  server.on('clientError', (_error, near) => {
    asked += 1
    work(near, refuse('', 'malformed', near))
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve))
  chmodSync(path, 0o666)

  return {
    async close() {
      ending.abort()
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await Promise.all([closed, ...working])
    },
  }
}

/** Of what was asked in plain http the ledger gets the host: the rest may say anything. */
function hostOf(url: string | undefined): string {
  return url !== undefined && URL.canParse(url) ? new URL(url).host : ''
}

function answer(reason: Refusal, text: string): string {
  const status = reason === 'malformed' ? '400 Bad Request' : reason === 'unresolved' || reason === 'unreachable' ? '502 Bad Gateway' : '403 Forbidden'
  return `HTTP/1.1 ${status}\r\ncontent-type: text/plain; charset=utf-8\r\nx-castellan-reason: ${reason}\r\nconnection: close\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`
}
