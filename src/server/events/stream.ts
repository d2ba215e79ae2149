import { once } from 'node:events'
import type { FastifyReply } from 'fastify'
import { Fault } from '../../kernel/fault.ts'

export interface StreamOptions {
  readonly stopping: AbortSignal
  readonly heartbeatMs?: number
  readonly most?: number
}

export interface Stream {
  /** Aborts when either side is gone. */
  readonly ended: AbortSignal
  /** Resolves when there is room for more, or nobody listens any longer. */
  send(event: string, data: unknown, id?: string): Promise<void>
  end(): void
}

export interface Streams {
  /**
   * Makes a stream of server-sent events of an answer. `mayGoOn` is asked with each heartbeat: who has signed out hears no more.
   * @throws Fault `events.full`
   */
  open(reply: FastifyReply, mayGoOn: () => Promise<boolean>): Stream
}

const defaultHeartbeatMs = 15_000
const mostStreams = 64
/** Bytes. Who reads so slowly is let go, and may come back with the last id that arrived. */
const mostUnread = 1_048_576

/** Streams that are bounded in number, beat, and end with the server. */
export function createStreams({ stopping, heartbeatMs = defaultHeartbeatMs, most = mostStreams }: StreamOptions): Streams {
  let count = 0
  return {
    open(reply, mayGoOn) {
      if (stopping.aborted) throw new Fault('unavailable', 'server.stopping', 'Castellan is stopping')
      if (count >= most) throw new Fault('unavailable', 'events.full', `${most} pages listen already; close some of them`)
      const { raw } = reply
      reply.hijack()
      // who left while the answer was prepared will not be heard closing
      if (raw.destroyed) return { ended: AbortSignal.abort(), end() {}, async send() {} }
      count += 1
      const ended = new AbortController()
      // a connection that is kept after its stream would hold up the server's end
      const own = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', 'x-accel-buffering': 'no', connection: 'close' }
      raw.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), ...own })
      raw.flushHeaders()

      const end = () => {
        if (!ended.signal.aborted) ended.abort()
        raw.end()
      }
      const beat = setInterval(() => {
        raw.write(': still here\n\n')
        mayGoOn().then((may) => may || end(), end)
      }, heartbeatMs)
      stopping.addEventListener('abort', end, { once: true })
      raw.once('close', () => {
        count -= 1
        clearInterval(beat)
        stopping.removeEventListener('abort', end)
        ended.abort()
      })
      raw.on('error', end)

      return {
        ended: ended.signal,
        end,
        async send(event, data, id) {
          if (ended.signal.aborted) return
          if (raw.writableLength > mostUnread) return end()
          const room = raw.write(`${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
          if (!room) await once(raw, 'drain', { signal: ended.signal }).catch(() => {})
        },
      }
    },
  }
}
