import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { temporaryFolder } from './temporary-folder.ts'

export interface GitBench {
  /** Where commits are made, and the bare one that is pushed to. */
  readonly work: string
  readonly origin: string
  git(folder: string, ...args: string[]): string
  /** A commit of these files on the branch that is checked out. */
  commit(files: Record<string, string>, subject?: string): string
  /** What a branch of the origin is at; empty when it is not there. */
  at(branch: string): string
}

/** A repository with one commit on `main`, and a bare origin that has it. */
export function gitBench(t: Pick<TestContext, 'after'>): GitBench {
  const folder = temporaryFolder(t)
  const [work, origin] = [join(folder, 'work'), join(folder, 'origin.git')]
  const env = { PATH: process.env['PATH']!, HOME: folder, GIT_CONFIG_NOSYSTEM: '1', GIT_AUTHOR_NAME: 'Agent', GIT_AUTHOR_EMAIL: 'agent@localhost', GIT_COMMITTER_NAME: 'Agent', GIT_COMMITTER_EMAIL: 'agent@localhost' }
  const git = (at: string, ...args: string[]) => execFileSync('git', args, { cwd: at, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
  git(folder, 'init', '--quiet', '--bare', '--initial-branch=main', origin)
  git(folder, 'init', '--quiet', '--initial-branch=main', work)
  const bench: GitBench = {
    work, origin, git,
    commit(files, subject = 'Change it') {
      for (const [name, text] of Object.entries(files)) {
        mkdirSync(dirname(join(work, name)), { recursive: true })
        writeFileSync(join(work, name), text)
      }
      git(work, 'add', '--all')
      git(work, 'commit', '--quiet', '--message', subject)
      return git(work, 'rev-parse', 'HEAD')
    },
    at: (branch) => git(origin, 'for-each-ref', '--format=%(objectname)', `refs/heads/${branch}`),
  }
  bench.commit({ 'README.md': 'one\n' }, 'Begin')
  git(work, 'push', '--quiet', origin, 'main')
  return bench
}

export type GitMisbehaviour = 'refuse' | 'drop' | 'cut' | 'stall' | 'redirect'

/** The bare origin by HTTP, as `git http-backend` speaks it, for one login. Misbehaves at the next request that carries a pack. */
export async function startGitServer(t: Pick<TestContext, 'after'>, origin: string, { user, password }: { user: string; password: string }) {
  const logins: (string | undefined)[] = []
  let next: GitMisbehaviour | undefined
  let onStall = Promise.withResolvers<void>()
  const expected = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  const serve = (request: IncomingMessage, response: ServerResponse) => {
    logins.push(request.headers.authorization)
    if (request.headers.authorization !== expected) return void response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end()
    const url = new URL(request.url!, 'http://localhost')
    const carries = url.pathname.endsWith('/git-receive-pack') && request.method === 'POST'
    const how = carries ? next : undefined
    if (carries) next = undefined
    if (how === 'drop') return void request.socket.destroy()
    if (how === 'stall') {
      onStall.resolve()
      onStall = Promise.withResolvers()
      return
    }
    if (how === 'refuse') return void response.writeHead(403).end('no')
    if (how === 'redirect') return void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()
    const backend = spawn('git', ['http-backend'], {
      env: {
        PATH: process.env['PATH']!, GIT_PROJECT_ROOT: dirname(origin), GIT_HTTP_EXPORT_ALL: '1', PATH_INFO: url.pathname, QUERY_STRING: url.search.slice(1), REQUEST_METHOD: request.method!, REMOTE_USER: user,
        CONTENT_TYPE: request.headers['content-type'] ?? '', HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '', GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
        ...(request.headers['content-length'] && { CONTENT_LENGTH: request.headers['content-length'] }),
      },
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    backend.stdin.on('error', () => {}) // it refuses without reading all of it
    request.pipe(backend.stdin)
    const pieces: Buffer[] = []
    backend.stdout.on('data', (piece: Buffer) => pieces.push(piece))
    backend.on('close', () => {
      if (how === 'cut') return void request.socket.destroy()
      const whole = Buffer.concat(pieces)
      const end = whole.indexOf('\r\n\r\n')
      const headers = whole.subarray(0, end).toString().split('\r\n').map((line) => line.split(': ', 2) as [string, string])
      const status = Number(headers.find(([name]) => name === 'Status')?.[1].slice(0, 3) ?? 200)
      response.writeHead(status, Object.fromEntries(headers.filter(([name]) => name !== 'Status'))).end(whole.subarray(end + 4))
    })
  }
  const server = createServer(serve)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, logins, /** Resolves when a request is stalled. */ stalled: () => onStall.promise, misbehave: (how: GitMisbehaviour) => void (next = how) }
}
