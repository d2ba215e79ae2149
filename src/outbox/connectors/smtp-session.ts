import { Fault } from '../../kernel/fault.ts'
import type { SmtpDialogue, SmtpReply } from './smtp-dialogue.ts'
import { declined, impossible, type SmtpServer } from './smtp-failure.ts'

export interface SessionOptions extends SmtpServer {
  readonly security: 'tls' | 'starttls' | 'none'
  readonly user?: string | undefined
  /** The secret: its name, and its value when there is one. */
  readonly password?: { readonly secret: string; readonly value: string | undefined } | undefined
}

/** Names no machine: what stands here is written into the mail for all who get it. */
const hello = 'EHLO [127.0.0.1]'

/** The server's greeting and what it can do, over TLS where that is asked for: there is no way on in the clear. */
export async function greet(dialogue: SmtpDialogue, server: SessionOptions, milliseconds: number): Promise<{ greeting: SmtpReply; extensions: ReadonlyMap<string, string> }> {
  const greeting = await dialogue.reply('connect', milliseconds)
  if (greeting.code !== 220) throw declined(server, 'connect', greeting)
  let extensions = await sayHello(dialogue, server, milliseconds)
  if (server.security === 'starttls') {
    if (!extensions.has('STARTTLS')) throw impossible(server, 'EHLO', 'offers no STARTTLS, and nothing is sent in the clear; write `security: tls` and the port for it (usually 465)')
    const reply = await dialogue.ask('STARTTLS', 'STARTTLS', milliseconds)
    if (reply.code !== 220) throw declined(server, 'STARTTLS', reply)
    await dialogue.secure(milliseconds)
    extensions = await sayHello(dialogue, server, milliseconds)
  }
  return { greeting, extensions }
}

async function sayHello(dialogue: SmtpDialogue, server: SessionOptions, milliseconds: number): Promise<ReadonlyMap<string, string>> {
  const reply = await dialogue.ask('EHLO', hello, milliseconds)
  if (reply.code !== 250) throw declined(server, 'EHLO', reply)
  return new Map(reply.lines.slice(1).map((line) => {
    const [name = '', ...parameters] = line.trim().toUpperCase().split(/\s+/)
    return [name, parameters.join(' ')]
  }))
}

/** With what to sign in, if at all. @throws Fault when the secret is not there */
export function loginOf({ user, password }: SessionOptions): { user: string; secret: string; value: string } | undefined {
  if (user === undefined || password === undefined) return undefined
  const { secret, value } = password
  if (value === undefined || value === '') {
    throw new Fault('invalid', 'connector.not_sent', `there is no secret ${secret}; put the password into secrets/${secret} of the home with mode 600, then restart`)
  }
  return { user, secret, value }
}

/** Says who sends; nothing where no user is declared. */
export async function authenticate(dialogue: SmtpDialogue, server: SessionOptions, extensions: ReadonlyMap<string, string>, milliseconds: number): Promise<void> {
  const login = loginOf(server)
  if (!login) return
  const { user, secret, value } = login
  const mechanisms = (extensions.get('AUTH') ?? '').split(' ').filter(Boolean)
  const base64 = (text: string) => Buffer.from(text, 'utf8').toString('base64')
  const secrets = [base64(`\0${user}\0${value}`), base64(value), value]
  let reply: SmtpReply
  if (mechanisms.includes('PLAIN')) {
    reply = await dialogue.ask('AUTH', `AUTH PLAIN ${secrets[0]!}`, milliseconds)
  } else if (mechanisms.includes('LOGIN')) {
    reply = await dialogue.ask('AUTH', 'AUTH LOGIN', milliseconds)
    if (reply.code === 334) reply = await dialogue.ask('AUTH', base64(user), milliseconds)
    if (reply.code === 334) reply = await dialogue.ask('AUTH', secrets[1]!, milliseconds)
  } else {
    throw impossible(server, 'AUTH', `offers neither PLAIN nor LOGIN to sign in with${mechanisms.length > 0 ? ` (but ${mechanisms.join(', ').slice(0, 100)})` : ''}`)
  }
  if (reply.code === 235) return
  const wrong = reply.code === 535 || reply.code === 534
  throw declined(server, 'AUTH', reply, {
    secrets, ...(wrong && { hint: `it does not take this user with the password in secrets/${secret}; many mailboxes want a password made for one app` }),
  })
}
