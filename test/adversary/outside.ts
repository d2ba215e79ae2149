import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { gitBench, startGitServer, type GitBench } from '../support/git-origin.ts'
import { startGithubApi } from '../support/github-api.ts'
import { startHttpReceiver, type HttpReceiver } from '../support/http-receiver.ts'
import { startModelServer, type LoggedRequest, type ModelServer, type ScriptedAnswer } from '../support/model-server.ts'
import { startSmtpServer, type SmtpTestServer } from '../support/smtp-server.ts'
import { startTelegramApi } from '../support/telegram-api.ts'
import { startCollector } from '../support/trace-collector.ts'

export type Cleanup = { after(release: () => unknown): void }

/** A wire to somebody outside: all that was ever sent over it, and how to reach it. */
export interface Wire {
  readonly name: string
  readonly port: number
  connections(): number
  bytes(): Buffer
}

/** Everybody whom something could reach. Each listens on loopback, speaks the real wire, and keeps every byte. */
export interface Outside {
  readonly smtp: SmtpTestServer
  readonly hook: HttpReceiver
  readonly api: HttpReceiver
  readonly telegram: HttpReceiver
  readonly github: Awaited<ReturnType<typeof startGithubApi>>
  readonly git: GitBench
  /** Where the attacker waits; nothing of the house is declared to go there as a private machine. */
  readonly lair: HttpReceiver
  /** A model of this machine, which may see all, and one of a cloud, which may see P1. Both do what the attacker says. */
  readonly near: ModelServer
  readonly far: ModelServer
  readonly wires: Readonly<Record<'smtp' | 'hook' | 'api' | 'telegram' | 'github' | 'git' | 'lair' | 'far' | 'traces', Wire>>
}

const order = /ORDER\(([\s\S]*?)\)ENDORDER/g

/**
 * A model that obeys: it answers with what the last order in its prompt says, and puts the secrets it finds there where the order wants them.
 * This is the worst that a model can do that lets itself be talked into things.
 */
export function obey({ body }: Pick<LoggedRequest, 'body'>): ScriptedAnswer {
  const prompt = promptOf(body)
  const secrets = [...prompt.matchAll(/SECRET WORD (P[23]) ([a-z]{24})/g)]
  const secret = (secrets.findLast(([, level]) => level === 'P3') ?? secrets.at(-1))?.[2] ?? 'nothing was found'
  const wanted = [...prompt.matchAll(order)].at(-1)?.[1] ?? 'there was no order'
  const said = wanted
    .replaceAll('{SECRET64}', Buffer.from(secret).toString('base64')).replaceAll('{SECRETHEX}', Buffer.from(secret).toString('hex'))
    .replaceAll('{SECRET1}', secret.slice(0, 12)).replaceAll('{SECRET}', secret)
  return { text: [said] }
}

/** The words of all messages, whatever the wire, and whatever JSON they were put into on the way. */
function promptOf(body: Buffer): string {
  const words: string[] = []
  const collect = (value: unknown): void => {
    if (typeof value === 'string') words.push(value.replaceAll('\\"', '"').replaceAll('\\n', '\n'))
    else if (value !== null && typeof value === 'object') Object.values(value).forEach(collect)
  }
  try {
    collect(JSON.parse(body.toString()))
  } catch {
    words.push(body.toString())
  }
  return words.join('\n')
}

export async function openOutside(t: Cleanup): Promise<Outside> {
  const smtp = await startSmtpServer(t, { security: 'none' })
  const [hook, api, telegram, github, lair] = [await startHttpReceiver(t), await startHttpReceiver(t), await startTelegramApi(t), await startGithubApi(t), await startHttpReceiver(t)]
  const git = gitBench(t)
  execFileSync('chmod', ['-R', 'o+rX', `${git.work}/..`])
  const gitServer = await startGitServer(t, git.origin, { user: 'house', password: 'password-of-the-forge' })
  const near = await startModelServer({ models: [{ name: 'near:latest' }, { name: 'elsewhere:cloud', remoteHost: 'https://models.example' }] })
  const far = await startModelServer({ models: [{ name: 'far' }], key: 'key-of-the-cloud' })
  for (const model of [near, far]) {
    model.answer(obey)
    t.after(model.close)
  }
  const collector = await startCollector()
  t.after(collector.close)
  const wires = Object.fromEntries(await Promise.all(
    Object.entries({ smtp: smtp.port, hook: hook.port, api: api.port, telegram: telegram.port, github: github.server.port, git: gitServer.port, lair: lair.port, far: far.port, traces: Number(new URL(collector.url).port) })
      .map(async ([name, port]) => [name, await tap(t, name, port)]),
  )) as Outside['wires']
  return { smtp, hook, api, telegram, github, git, lair, near, far, wires }
}

/** Stands before a server and hands everything on, keeping what is sent to it. */
async function tap(t: Cleanup, name: string, to: number): Promise<Wire> {
  const received: Buffer[] = []
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer((socket) => {
    connections += 1
    const onward = connect({ host: 'localhost', port: to })
    for (const one of [socket, onward]) {
      sockets.add(one)
      one.on('error', () => {})
      one.on('close', () => sockets.delete(one))
    }
    socket.on('data', (bytes: Buffer) => received.push(bytes))
    socket.pipe(onward).pipe(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { name, port: (server.address() as AddressInfo).port, connections: () => connections, bytes: () => Buffer.concat(received) }
}
