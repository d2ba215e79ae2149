import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server'
import { makeCertificate } from './certificate.ts'

export const smtpSteps = ['connect', 'EHLO', 'STARTTLS', 'AUTH', 'MAIL', 'RCPT', 'DATA', 'body', 'dot', 'answered', 'QUIT'] as const
/**
 * Where a server can misbehave. `connect` is its greeting, `body` the middle of the message, `dot` the time between the end
 * of the message and the answer (by `drop` and `stall` the message is taken all the same), `answered` right after the answer.
 */
export type SmtpStep = (typeof smtpSteps)[number]

export type SmtpMisbehaviour =
  | 'drop'
  | 'stall'
  /** An answer of its choice; at RCPT for this recipient alone, when one is named. */
  | { readonly code: number; readonly text?: string; readonly recipient?: string }

export interface SmtpServerOptions {
  readonly security?: 'tls' | 'starttls' | 'none'
  /** Asks for this user. */
  readonly auth?: { readonly user: string; readonly password: string }
  readonly hide?: readonly ('8BITMIME' | 'SIZE')[]
  /** The largest message it takes, in bytes. */
  readonly size?: number
}

export interface ReceivedMail {
  readonly envelope: { readonly from: string; readonly to: string[] }
  /** Without the dots that SMTP adds. */
  readonly raw: Buffer
  readonly user: string | undefined
}

export interface SmtpTestServer {
  readonly host: string
  readonly port: number
  /** The authority that vouches for its certificate, in PEM; nothing without TLS. */
  readonly ca: string | undefined
  /** Every message that it took, whether or not the client was told so. */
  readonly received: ReceivedMail[]
  /** Every command that arrived, as `session number: line`; of AUTH only the method. */
  readonly commands: string[]
  /** At that step, the next so many times. */
  misbehave(step: SmtpStep, how: SmtpMisbehaviour, times?: number): void
  /** Forgets what it was still told to do. */
  behave(): void
  /** Resolves while a connection is stalled. */
  stalled(): Promise<void>
  /** Refuses connections from now on, and drops the open ones. */
  down(): Promise<void>
  up(): Promise<void>
  stop(): Promise<void>
}

type Connection = SMTPServer['connections'] extends Set<infer C> ? C : never

/** A real SMTP server (npm smtp-server) on loopback that records what it is given, and fails where it is told to. */
export async function startSmtpServer(t?: Pick<TestContext, 'after'>, options: SmtpServerOptions = {}): Promise<SmtpTestServer> {
  const { security = 'none', auth } = options
  const tls = security === 'none' ? undefined : makeCertificate()
  const received: ReceivedMail[] = []
  const commands: string[] = []
  const plans: { step: SmtpStep; how: SmtpMisbehaviour; left: number }[] = []
  let sessions = 0
  let port = 0
  let server = create()
  let onStall = Promise.withResolvers<void>()

  function next(step: SmtpStep, line = ''): SmtpMisbehaviour | undefined {
    const plan = plans.find((one) => one.step === step && one.left > 0 && (typeof one.how === 'string' || one.how.recipient === undefined || line.includes(`<${one.how.recipient}>`)))
    if (!plan) return undefined
    plan.left -= 1
    return plan.how
  }

  /** @returns the answer of its choice, which stands for a step that went wrong; `silent` when nothing more is to be said */
  function act(connection: Connection, how: SmtpMisbehaviour): 'silent' | { code: number; text: string } {
    if (typeof how === 'object') return { code: how.code, text: how.text ?? 'as scripted' }
    if (how === 'drop') connection._socket.destroy()
    else {
      onStall.resolve()
      onStall = Promise.withResolvers()
    }
    return 'silent'
  }

  function create(): SMTPServer {
    const created: SMTPServer = new SMTPServer({
      secure: security === 'tls',
      ...(tls && { key: tls.key, cert: tls.certificate }),
      disabledCommands: [...(security === 'none' ? ['STARTTLS'] : []), ...(auth ? [] : ['AUTH'])],
      ...(security !== 'starttls' && { allowInsecureAuth: true }),
      ...(options.size !== undefined && { size: options.size }),
      hide8BITMIME: options.hide?.includes('8BITMIME') ?? false,
      hideSize: options.hide?.includes('SIZE') ?? false,
      disableReverseLookup: true,
      socketTimeout: 600_000,
      closeTimeout: 1,
      logger: false,
      onAuth(given, _session, done) {
        if (given.username === auth?.user && given.password === auth?.password) done(null, { user: given.username })
        else done(Object.assign(new Error('Username and Password not accepted'), { responseCode: 535 }))
      },
      onConnect(session, done) {
        const connection = connectionOf(created, session)
        listenTo(connection, (sessions += 1))
        const how = next('connect')
        const acted = how && act(connection, how)
        if (acted === undefined) done()
        else if (acted !== 'silent') done(Object.assign(new Error(acted.text), { responseCode: acted.code }))
      },
      onData: (stream, session, done) => void take(created, stream, session, done),
    })
    created.on('error', () => {}) // a client that went away, or that does not trust the certificate
    return created
  }

  function listenTo(connection: Connection, session: number): void {
    const onCommand = connection._onCommand
    connection._onCommand = function (line, callback) {
      const text = line.toString()
      const verb = text.split(' ')[0]!.toUpperCase()
      if (connection._nextHandler) return onCommand.call(connection, line, callback) // the rest of AUTH LOGIN: a secret
      commands.push(`${session}: ${verb === 'AUTH' ? text.split(' ').slice(0, 2).join(' ') : text}`)
      const how = smtpSteps.includes(verb as SmtpStep) ? next(verb as SmtpStep, text) : undefined
      const acted = how && act(connection, how)
      if (acted === undefined) return onCommand.call(connection, line, callback)
      if (acted === 'silent') return
      connection.send(acted.code, acted.text)
      setImmediate(() => callback?.())
    }
  }

  async function take(owner: SMTPServer, stream: SMTPServerDataStream, session: SMTPServerSession, done: (error?: Error | null, message?: string) => void): Promise<void> {
    const connection = connectionOf(owner, session)
    const chunks: Buffer[] = []
    const inside = next('body')
    if (inside) {
      await once(stream, 'data')
      stream.pause() // takes no more
      const acted = act(connection, inside)
      if (acted !== 'silent') done(Object.assign(new Error(acted.text), { responseCode: acted.code }))
      return
    }
    try {
      for await (const chunk of stream) chunks.push(chunk as Buffer)
    } catch {
      return // the client went away in the middle
    }
    if (connection._socket.destroyed && !stream.readableEnded) return
    const how = next('dot')
    const { mailFrom, rcptTo } = session.envelope
    if (how === undefined || typeof how === 'string') {
      received.push({
        envelope: { from: (mailFrom && mailFrom.address) || '', to: rcptTo.map(({ address }) => address) },
        raw: Buffer.concat(chunks), user: session.user as string | undefined,
      })
    }
    const acted = how && act(connection, how)
    if (acted === 'silent') return
    if (acted) return done(Object.assign(new Error(acted.text), { responseCode: acted.code }))
    done(null, `queued as ${received.length}`)
    const after = next('answered')
    if (after) connection._socket.end(() => connection._socket.destroy())
  }

  async function up(): Promise<void> {
    if (server.server.listening) return
    if (port !== 0) server = create()
    await new Promise<void>((resolve, reject) => {
      server.server.once('error', reject)
      server.listen(port, '127.0.0.1', resolve)
    })
    port = (server.server.address() as AddressInfo).port
  }

  async function down(): Promise<void> {
    for (const connection of server.connections) connection._socket.destroy()
    if (server.server.listening) await new Promise<void>((resolve) => server.close(() => resolve()))
  }

  await up()
  t?.after(down)
  return {
    host: security === 'none' ? '127.0.0.1' : 'localhost',
    get port() {
      return port
    },
    ca: tls?.certificate, received, commands,
    misbehave: (step, how, times = 1) => void plans.push({ step, how, left: times }),
    behave: () => void (plans.length = 0),
    stalled: () => onStall.promise,
    down, up, stop: down,
  }
}

function connectionOf(server: SMTPServer, session: SMTPServerSession): Connection {
  for (const connection of server.connections) if (connection.session.id === session.id) return connection
  throw new Error('this session has no connection')
}
