import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { brokenOff, impossible, tookTooLong, type SmtpServer } from './smtp-failure.ts'

export interface SmtpReply {
  readonly code: number
  /** What stands behind the code, line by line, as it came. */
  readonly lines: readonly string[]
}

/** One conversation with a mail server. Every way in which it can end early is a Fault that says that nothing was accepted yet. */
export interface SmtpDialogue {
  /** Waits for the next answer. */
  reply(step: string, milliseconds: number): Promise<SmtpReply>
  /** Says one line and waits for the answer. */
  ask(step: string, line: string, milliseconds: number): Promise<SmtpReply>
  /** Resolves once the system has taken the bytes. */
  write(step: string, bytes: Uint8Array | string, milliseconds: number): Promise<void>
  /** What the server says unasked; nothing as long as it waits for us. @throws when the connection is lost */
  interruption(step: string): SmtpReply | undefined
  /** Goes on in TLS. What the server sent before that, in the clear, is not believed. */
  secure(milliseconds: number): Promise<void>
  /** Says goodbye and does not wait for the answer. */
  leave(): void
  /** Hangs up at once, unless it said goodbye. */
  drop(): void
}

export interface DialogueOptions extends SmtpServer {
  readonly security: 'tls' | 'starttls' | 'none'
  /** PEM; instead of the authorities that Node knows. */
  readonly ca?: string | undefined
  readonly connectMs: number
  readonly signal: AbortSignal
}

const longestReply = 64 * 1024
/** Answers that nobody asked for yet; one after the other is asked, so that a server in its right mind sends none. */
const mostUnheard = 10
const patienceAfterGoodbyeMs = 1_000

/** Connects, in TLS when the server speaks it from the start. The greeting is the first reply. */
export async function openDialogue(options: DialogueOptions): Promise<SmtpDialogue> {
  const { host, port, security, signal } = options
  let lost: Error | undefined
  let buffered = ''
  let partial: string[] = []
  const replies: SmtpReply[] = []
  let onChange = () => {}
  let left = false
  let socket = security === 'tls' ? connectTls({ host, port, ...tlsOptions(options) }) : connect({ host, port })
  listen(socket)
  await until('connect', options.connectMs, security === 'tls' ? 'secureConnect' : 'connect')
  socket.setNoDelay(true)

  function listen(to: Socket): void {
    to.on('data', (chunk: Buffer) => hear(chunk.toString('latin1')))
    to.on('error', (error) => end(error))
    to.on('close', () => end(new Error('the server closed the connection')))
  }

  function end(error: Error): void {
    lost ??= error
    onChange()
  }

  function hear(text: string): void {
    buffered += text
    if (buffered.length + partial.join('').length > longestReply) return tear(new Error('the server does not end its answer'))
    for (let at = buffered.indexOf('\n'); at >= 0; at = buffered.indexOf('\n')) {
      const line = buffered.slice(0, at).replace(/\r$/, '')
      buffered = buffered.slice(at + 1)
      const [, code, more, rest] = /^([2-5]\d\d)([ -]?)(.*)$/.exec(line) ?? []
      if (code === undefined) return tear(new Error('the server does not speak SMTP'))
      partial.push(Buffer.from(rest!, 'latin1').toString('utf8'))
      if (more === '-') continue
      if (replies.length >= mostUnheard) return tear(new Error('the server says more than it is asked'))
      replies.push({ code: Number(code), lines: partial })
      partial = []
    }
    onChange()
  }

  function tear(error: Error): void {
    end(error)
    socket.destroy()
  }

  /** Waits for a reply, or for that event of the socket. */
  async function until(step: string, milliseconds: number, event?: 'connect' | 'secureConnect', over: Socket = socket): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const timer = setTimeout(() => reject(tookTooLong(options, step)), milliseconds)
    const abort = () => reject(tookTooLong(options, step))
    onChange = () => {
      if (event === undefined && replies.length > 0) resolve()
      else if (lost) reject(brokenOff(options, step, lost))
    }
    if (event) over.once(event, resolve)
    signal.addEventListener('abort', abort, { once: true })
    try {
      if (signal.aborted) abort()
      onChange()
      await promise
    } catch (error) {
      over.destroy()
      throw error
    } finally {
      onChange = () => {}
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
      if (event) over.removeListener(event, resolve)
    }
  }

  async function reply(step: string, milliseconds: number): Promise<SmtpReply> {
    await until(step, milliseconds)
    return replies.shift()!
  }

  async function write(step: string, bytes: Uint8Array | string, milliseconds: number): Promise<void> {
    if (lost) throw brokenOff(options, step, lost)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const giveUp = () => reject(tookTooLong(options, step))
    const timer = setTimeout(giveUp, milliseconds)
    signal.addEventListener('abort', giveUp, { once: true })
    try {
      if (signal.aborted) giveUp()
      else socket.write(bytes, (error) => (error ? reject(brokenOff(options, step, error)) : resolve()))
      await promise
    } catch (error) {
      socket.destroy()
      throw error
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', giveUp)
    }
  }

  return {
    reply,
    write,
    async ask(step, line, milliseconds) {
      await write(step, `${line}\r\n`, milliseconds)
      return reply(step, milliseconds)
    },
    interruption(step) {
      if (lost) throw brokenOff(options, step, lost)
      return replies.shift()
    },
    async secure(milliseconds) {
      if (buffered !== '' || partial.length > 0 || replies.length > 0) {
        socket.destroy()
        throw impossible(options, 'STARTTLS', 'sent more than its answer before the encryption began; somebody may sit in between')
      }
      const plain = socket
      plain.removeAllListeners('data')
      const secured = connectTls({ socket: plain, host, ...tlsOptions(options) })
      socket = secured
      listen(secured)
      await until('STARTTLS', milliseconds, 'secureConnect', secured)
    },
    leave() {
      left = true
      const timer = setTimeout(() => socket.destroy(), patienceAfterGoodbyeMs)
      timer.unref()
      socket.once('close', () => clearTimeout(timer))
      if (!lost) socket.end('QUIT\r\n')
    },
    drop() {
      if (!left) socket.destroy()
    },
  }
}

function tlsOptions({ host, ca }: DialogueOptions) {
  return { minVersion: 'TLSv1.2' as const, ...(isIP(host) === 0 && { servername: host }), ...(ca !== undefined && { ca }) }
}
