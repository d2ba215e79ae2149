import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { readClientHello } from './client-hello.ts'
import type { Destination, Refusal } from './destination.ts'

/** How a connection ended, and how many bytes passed to the destination and back. */
export interface TunnelEnd {
  readonly outcome: 'closed' | 'ended' | Refusal
  readonly up: number
  readonly down: number
}

export interface TunnelOptions {
  /** The command's side, whose CONNECT was not answered yet. */
  readonly near: Duplex
  readonly head: Buffer
  readonly destination: Destination
  readonly address: string
  readonly limits: { readonly connectMs: number; readonly idleMs: number }
  /** What the whole run may still pass, in each direction. */
  readonly budget: { up: number; down: number }
  readonly signal: AbortSignal
}

const unreachable = 'HTTP/1.1 502 Bad Gateway\r\nx-castellan-reason: unreachable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n'

/**
 * Connects to the address, and lets bytes through once the first of them are a TLS ClientHello for the host that was asked for: what the
 * server that answers at this address serves under other names stays out of reach. Resolves when both sides are closed.
 */
export async function openTunnel({ near, head, destination, address, limits, budget, signal }: TunnelOptions): Promise<TunnelEnd> {
  near.on('error', () => {})
  const far = await reach(destination.port, address, limits.connectMs, signal)
  if (far === undefined) {
    near.end(unreachable)
    return { outcome: signal.aborted ? 'ended' : 'unreachable', up: 0, down: 0 }
  }
  try {
    near.write('HTTP/1.1 200 Connection established\r\n\r\n')
    const hello = await greeting(near, head, destination.host, limits.connectMs, signal)
    if (typeof hello === 'string') return { outcome: hello, up: 0, down: 0 }
    return await pass(near, far, hello, limits.idleMs, budget, signal)
  } finally {
    near.destroy()
    far.destroy()
  }
}

function reach(port: number, host: string, milliseconds: number, signal: AbortSignal): Promise<Socket | undefined> {
  const far = connect({ host, port, allowHalfOpen: true })
  return new Promise((resolve) => {
    const patience = AbortSignal.any([signal, AbortSignal.timeout(milliseconds)])
    const fail = () => {
      far.destroy()
      resolve(undefined)
    }
    far.on('error', fail)
    far.once('connect', () => {
      patience.removeEventListener('abort', fail)
      resolve(far)
    })
    patience.addEventListener('abort', fail, { once: true })
    if (patience.aborted) fail()
  })
}

/** The first bytes, when they name the host; the reason when not. */
function greeting(near: Duplex, head: Buffer, host: string, milliseconds: number, signal: AbortSignal): Promise<Buffer | Refusal | 'ended'> {
  return new Promise((resolve) => {
    const patience = AbortSignal.any([signal, AbortSignal.timeout(milliseconds)])
    let bytes = Buffer.alloc(0)
    const settle = (result: Buffer | Refusal | 'ended') => {
      near.pause()
      near.off('data', look)
      near.off('close', give)
      near.off('end', give)
      patience.removeEventListener('abort', give)
      resolve(result)
    }
    const give = () => settle(signal.aborted ? 'ended' : 'no_tls')
    const look = (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk])
      const hello = readClientHello(bytes)
      if (hello.says === 'refused') settle(hello.reason)
      else if (hello.says === 'host') settle(/^[\x21-\x7e]+$/.test(hello.host) && hello.host.toLowerCase() === host ? bytes : 'sni')
    }
    near.on('data', look)
    near.once('close', give)
    near.once('end', give)
    patience.addEventListener('abort', give, { once: true })
    if (patience.aborted || near.destroyed) give()
    else look(head)
  })
}

async function pass(near: Duplex, far: Socket, first: Buffer, idleMs: number, budget: { up: number; down: number }, signal: AbortSignal): Promise<TunnelEnd> {
  let [up, down] = [0, 0]
  let outcome: TunnelEnd['outcome'] = 'closed'
  const end = (how: TunnelEnd['outcome']) => {
    if (outcome === 'closed') outcome = how
    near.destroy()
    far.destroy()
  }
  const count = (direction: 'up' | 'down', length: number) => {
    if (direction === 'up') up += length
    else down += length
    budget[direction] -= length
    if (budget[direction] < 0) end('limit')
  }
  const onAbort = () => end('ended')
  signal.addEventListener('abort', onAbort, { once: true })
  far.setTimeout(idleMs, () => end('limit'))
  count('up', first.length)
  far.write(first)
  near.on('data', (chunk: Buffer) => count('up', chunk.length))
  far.on('data', (chunk: Buffer) => count('down', chunk.length))
  near.pipe(far)
  far.pipe(near)
  // what the other side said to its end is still handed on; what broke off is not waited for
  far.once('close', () => far.readableEnded || near.destroy())
  near.once('close', () => far.destroy())
  if (signal.aborted || near.destroyed || far.destroyed) end(signal.aborted ? 'ended' : 'closed')
  await Promise.all([near, far].map((side) => side.closed || new Promise((resolve) => side.once('close', resolve))))
  signal.removeEventListener('abort', onAbort)
  return { outcome, up, down }
}
