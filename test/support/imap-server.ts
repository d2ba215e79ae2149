import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

export interface ScriptedMessage {
  uid: number
  raw: Buffer
  /** What it says about its size, when that is not true. */
  size?: number
}

/** One mailbox and what the server does that no real server would. All of it may be changed between sessions. */
export interface ImapScript {
  uidvalidity?: number | undefined
  uidnext?: number | undefined
  messages: ScriptedMessage[]
  /** False: it accepts connections and never speaks. */
  greeting?: boolean
  /** It takes what comes and says nothing any more. */
  deaf?: boolean
  /** Instead of the body of a message: bytes as they go over the wire, or the end of the connection, or no answer ever. */
  body?(message: ScriptedMessage, asked: { start: number; length: number }, socket: Socket): string | Buffer | 'drop' | 'silence' | undefined
}

export interface ImapServer {
  readonly port: number
  readonly script: ImapScript
  /** Every command of every session, without its tag. */
  readonly commands: string[]
  readonly sessions: { readonly count: number }
  /** Ends every session. */
  kick(): void
}

/** An IMAP server (RFC 3501, and IDLE) of one folder, for what a real one never does. It takes any password. */
export async function startImapServer(t: TestContext, script: ImapScript): Promise<ImapServer> {
  const sockets = new Set<Socket>()
  const commands: string[] = []
  const sessions = { count: 0 }
  const server = createServer((socket) => {
    sessions.count += 1
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    if (script.greeting !== false) socket.write('* OK ready\r\n')
    let rest = ''
    let idle: string | undefined
    socket.on('data', (chunk) => {
      const lines = (rest + chunk.toString('latin1')).split('\r\n')
      rest = lines.pop()!
      for (const line of lines) {
        if (idle !== undefined && line === 'DONE') {
          if (script.deaf) continue
          socket.write(`${idle} OK done\r\n`)
          idle = undefined
          continue
        }
        const [tag, ...words] = line.split(' ')
        const command = words.join(' ')
        commands.push(command)
        if (script.deaf) continue
        if (command === 'IDLE') idle = tag
        answer(socket, tag!, command, script)
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(async () => {
    for (const socket of sockets) socket.destroy()
    await once(server.close(), 'close')
  })
  return { port: (server.address() as { port: number }).port, script, commands, sessions, kick: () => sockets.forEach((socket) => socket.destroy()) }
}

function answer(socket: Socket, tag: string, command: string, script: ImapScript): void {
  const verb = command.split(' ')[0]!.toUpperCase()
  switch (verb) {
    case 'CAPABILITY':
      socket.write('* CAPABILITY IMAP4rev1 IDLE\r\n')
      break
    case 'IDLE':
      socket.write('+ idling\r\n')
      return
    case 'LIST':
      socket.write('* LIST () "/" INBOX\r\n')
      break
    case 'EXAMINE':
    case 'SELECT': {
      const { uidvalidity, messages } = script
      const uidnext = 'uidnext' in script ? script.uidnext : Math.max(0, ...messages.map(({ uid }) => uid)) + 1
      socket.write(`* FLAGS (\\Seen)\r\n* ${messages.length} EXISTS\r\n`)
      if (uidvalidity !== undefined) socket.write(`* OK [UIDVALIDITY ${uidvalidity}] ok\r\n`)
      if (uidnext !== undefined) socket.write(`* OK [UIDNEXT ${uidnext}] ok\r\n`)
      break
    }
    case 'UID':
    case 'FETCH':
      if (!fetch(socket, command, script)) return
      break
  }
  socket.write(`${tag} OK done\r\n`)
}

/** @returns false when the server falls silent or goes away */
function fetch(socket: Socket, command: string, script: ImapScript): boolean {
  const { messages } = script
  const [, set, items] = /FETCH (\S+) (.*)$/.exec(command)!
  const partial = /BODY\.PEEK\[\]<(\d+)\.(\d+)>/.exec(items!)
  for (const [index, message] of messages.entries()) {
    if (!isIn(set!, message.uid, messages)) continue
    const head = `* ${index + 1} FETCH (UID ${message.uid}`
    if (!partial) {
      socket.write(`${head} RFC822.SIZE ${message.size ?? message.raw.length} INTERNALDATE "02-Mar-2026 08:00:00 +0000")\r\n`)
      continue
    }
    const asked = { start: Number(partial[1]), length: Number(partial[2]) }
    const said = script.body?.(message, asked, socket)
    if (said === 'drop') {
      socket.destroy()
      return false
    }
    if (said === 'silence') return false
    if (said !== undefined) socket.write(said)
    else {
      const body = message.raw.subarray(asked.start, asked.start + asked.length)
      socket.write(`${head} BODY[]<${asked.start}> {${body.length}}\r\n`)
      socket.write(body)
      socket.write(')\r\n')
    }
  }
  return true
}

function isIn(set: string, uid: number, messages: readonly ScriptedMessage[]): boolean {
  const last = messages.at(-1)?.uid ?? 0
  return set.split(',').some((part) => {
    const [from, to = from] = part.split(':').map((edge) => (edge === '*' ? last : Number(edge)))
    return uid >= Math.min(from!, to!) && uid <= Math.max(from!, to!)
  })
}
