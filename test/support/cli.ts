import { createHash, randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import type { TestContext } from 'node:test'
import { runCli } from '../../src/cli/program.ts'
import { composeMail } from '../../src/outbox/compose/mail.ts'
import { composeMove } from '../../src/outbox/compose/mailbox-act.ts'
import { writeDocument, type DraftDocument } from '../../src/outbox/document.ts'

/** What a stub answers: data, or an error with its status. */
export type StubAnswer = { data: unknown } | { status: number; code: string; message?: string; details?: object }
/** Answers by `METHOD /path`, without the query; a function sees the request. */
export type StubRoutes = Record<string, StubAnswer | ((request: StubRequest) => StubAnswer)>

export interface StubRequest {
  readonly route: string
  readonly query: Record<string, string>
  readonly body: unknown
}

export interface StubHouse {
  readonly home: string
  /** What was asked of either socket, in order. */
  readonly asked: StubRequest[]
  run(argv: readonly string[], options?: RunOptions): Promise<Ran>
}

export interface RunOptions {
  readonly tty?: boolean
  readonly env?: NodeJS.ProcessEnv
  readonly now?: Date
}

export interface Ran {
  readonly exit: number
  readonly stdout: string
  readonly stderr: string
  /** stdout as the envelope that --json promises. */
  json<T = Record<string, unknown>>(): { ok: boolean; data: T; error: { code: string; message: string; details?: Record<string, unknown> } }
}

/** A home with stubs on both sockets; without routes nothing runs on it. */
export async function stubHouse(t: TestContext, routes?: { server?: StubRoutes; releaser?: StubRoutes }, upState: object = {}): Promise<StubHouse> {
  const home = mkdtempSync(join(tmpdir(), 'castellan-cli-'))
  t.after(() => rmSync(home, { recursive: true, force: true }))
  const asked: StubRequest[] = []
  if (routes !== undefined) {
    const sockets = { server: join(home, 's'), releaser: join(home, 'r') }
    const listening = await Promise.all([listen(sockets.server, routes.server ?? {}, asked), listen(sockets.releaser, routes.releaser ?? {}, asked)])
    t.after(() => listening.forEach((server) => server.close()))
    const state = { pid: process.pid, startedAt: new Date().toISOString(), house: join(home, 'house'), timezone: 'Europe/Berlin', isolation: { mode: 'demonstration', detail: '' }, ports: {}, sockets }
    writeFileSync(join(home, 'up.json'), JSON.stringify({ ...state, ...upState }))
  }
  return { home, asked, run: (argv, options) => runIn(home, argv, options) }
}

async function runIn(home: string, argv: readonly string[], { tty = false, env = {}, now }: RunOptions = {}): Promise<Ran> {
  const written = { stdout: '', stderr: '' }
  const screen = (name: keyof typeof written) => ({ isTTY: tty, columns: 100, write: (text: string) => void (written[name] += text) })
  const io = { env: { CASTELLAN_HOME: home, ...env }, stdin: Object.assign(new PassThrough(), { isTTY: false }), stdout: screen('stdout'), stderr: screen('stderr') }
  const exit = await runCli(argv, io, () => now ?? new Date())
  return { exit, ...written, json: () => JSON.parse(written.stdout) }
}

async function listen(path: string, routes: StubRoutes, asked: StubRequest[]): Promise<Server> {
  const server = createServer(async (request, response) => {
    const url = new URL(request.url!, 'http://stub')
    const text = (await request.toArray()).join('')
    const seen = { route: `${request.method} ${decodeURIComponent(url.pathname)}`, query: Object.fromEntries(url.searchParams), body: text === '' ? undefined : JSON.parse(text) }
    asked.push(seen)
    const known = routes[seen.route] ?? { status: 404, code: 'route.missing' }
    const answer = typeof known === 'function' ? known(seen) : known
    const { status, body } = 'data' in answer
      ? { status: 200, body: { ok: true, data: answer.data } }
      : { status: answer.status, body: { ok: false, error: { code: answer.code, message: answer.message ?? answer.code, details: answer.details } } }
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  mkdirSync(join(path, '..'), { recursive: true })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return server
}

export interface SampleMail {
  readonly to?: string[]
  readonly bcc?: string[]
  readonly subject?: string
  readonly text?: string
  readonly attachments?: { name: string; type: string; content: string }[]
  readonly connector?: { name: string; kind: string }
  readonly risk?: number
}

/** A draft as the releaser sends it: composed and written by the releaser's own code. */
export async function sampleDraft({ to = ['Eva <eva@example.org>'], bcc = [], subject = 'Termin', text = 'Liebe Eva,\n\nbis Montag.\n', attachments = [], connector = { name: 'file', kind: 'file' }, risk = 4 }: SampleMail = {}) {
  const id = randomUUID()
  const nonce = createHash('sha256').update(id).digest('hex')
  const frozen = new Date()
  const expires = new Date(frozen.getTime() + 3_600_000)
  const mail = await composeMail({ to, bcc, subject, text, attachments }, { id, nonce, at: frozen, from: 'Haus <haus@example.org>' })
  const document: DraftDocument = {
    version: 'castellan/1', id, nonce, kind: 'mail', connector, account: '/outbox',
    title: mail.title, from: mail.from, recipients: mail.recipients, attachments: mail.attachments,
    wire: { sha256: createHash('sha256').update(mail.wire).digest('hex'), length: mail.wire.length },
    rollback: 'Until 10s after the approval: undo.', risk, reasons: ['+2 an act of kind mail'],
    label: { level: 2, integrity: 'untrusted', lanes: ['private'] },
    origin: { proposal: randomUUID(), job: 'morning-mail', run: randomUUID(), step: 'propose', item: nonce },
    replaces: null, frozen_at: frozen.toISOString(), expires_at: expires.toISOString(), not_before: null,
  }
  return {
    id, state: 'waiting', reason: null, kind: 'mail', connector: connector.name, account: '/outbox', title: mail.title, recipients: mail.recipients,
    risk, high_risk: risk >= 7, label: { level: 2, word: 'P2 internal', text: 'P2 internal, untrusted, lane private', integrity: 'untrusted', lanes: ['private'] },
    origin: document.origin, frozen_at: document.frozen_at, expires_at: document.expires_at, seconds_left: 3600, hold_until: null, snoozed_until: null, problem: null,
    document: writeDocument(document), wire: mail.wire.toString('base64'), history: [{ at: document.frozen_at, draft: id, event: 'frozen' }],
  }
}

/** A message that is to be moved, as the releaser shows it. `draft` and `folder` stand in the bytes, when they are to differ from the document. */
export async function sampleMove({ draft, folder = 'Archive', replaces = null }: { draft?: string; folder?: string; replaces?: string | null } = {}) {
  const mail = await sampleDraft({ connector: { name: 'mailbox', kind: 'imap' } })
  const compose = (to: string) => composeMove({ message: mail.id, to }, {
    id: draft ?? mail.id, nonce: '', at: new Date(), from: 'personal',
    messageOf: async () => ({
      account: 'personal', folder: 'INBOX', uid: '7/3', sha256: 'ab'.repeat(32), size: 100, messageId: '<1@shop.example>', from: 'news@shop.example', subject: 'Offer\u202e \u001b[2J',
      label: { level: 2, integrity: 'untrusted', lanes: ['private'] },
    }),
  })
  const [meant, { wire }] = [await compose('Archive'), await compose(folder)]
  const document = writeDocument({
    ...(JSON.parse(mail.document) as DraftDocument), kind: 'mail.move', title: meant.title, from: meant.from, recipients: meant.recipients, attachments: [], replaces,
    wire: { sha256: createHash('sha256').update(wire).digest('hex'), length: wire.length },
  })
  return { ...mail, kind: 'mail.move', document, wire: wire.toString('base64') }
}
