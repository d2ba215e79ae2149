import { spawn } from 'node:child_process'
import { Fault } from '../../../kernel/fault.ts'

export interface GitOptions {
  /** The repository it works in, or the folder when there is none yet. */
  readonly folder: string
  /** A file in the place of the user's configuration; that of the system is not read. */
  readonly configuration: string
  /** Transports that may be used. */
  readonly protocols: readonly string[]
  /** Settings that must not stand in a file nor in a list of arguments, which other users can read. */
  readonly settings?: readonly (readonly [name: string, value: string])[]
  readonly milliseconds: number
  readonly signal?: AbortSignal | undefined
}

export interface GitResult {
  readonly code: number | null
  readonly stdout: Buffer
  readonly stderr: string
}

const most = { stdout: 8 * 1024 * 1024, stderr: 16 * 1024 }
const path = '/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin'

/** Runs git with a list of arguments and an environment of its own: no shell, no hooks, no pager, no prompt, no configuration of others. */
export async function runGit(args: readonly string[], { folder, configuration, protocols, settings = [], milliseconds, signal }: GitOptions): Promise<GitResult> {
  const given = Object.fromEntries(settings.flatMap(([name, value], index) => [[`GIT_CONFIG_KEY_${index}`, name], [`GIT_CONFIG_VALUE_${index}`, value]]))
  const limit = signal ? AbortSignal.any([signal, AbortSignal.timeout(milliseconds)]) : AbortSignal.timeout(milliseconds)
  const child = spawn('git', args, {
    cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], detached: true,
    env: {
      PATH: path, HOME: folder, LANG: 'C', LC_ALL: 'C', GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: configuration, GIT_ATTR_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0', GIT_ASKPASS: '/bin/false', GIT_NO_REPLACE_OBJECTS: '1',
      GIT_NO_LAZY_FETCH: '1', GIT_OPTIONAL_LOCKS: '0', GIT_PAGER: 'cat', GIT_ALLOW_PROTOCOL: protocols.join(':'), GIT_CONFIG_COUNT: String(settings.length), ...given,
    },
  })
  // its helpers too: it leads a group of its own
  const kill = () => { try { process.kill(-child.pid!, 'SIGKILL') } catch { /* it is gone */ } }
  limit.addEventListener('abort', kill, { once: true })
  if (limit.aborted) kill()
  try {
    const [out, said]: [Buffer[], Buffer[]] = [[], []]
    let [length, saidLength] = [0, 0]
    child.stdout.on('data', (piece: Buffer) => (length += piece.length) > most.stdout ? kill() : out.push(piece))
    child.stderr.on('data', (piece: Buffer) => (saidLength += piece.length) > most.stderr || said.push(piece))
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', (error: NodeJS.ErrnoException) => reject(new Fault('unavailable', 'git.missing', error.code === 'ENOENT' ? 'there is no git on this machine; install it' : `git could not be started: ${error.message}`, {}, error)))
      child.once('close', resolve)
    })
    if (length > most.stdout) throw new Fault('refused', 'git.large', 'git said more than can be shown; push less at once')
    return { code: limit.aborted ? null : code, stdout: Buffer.concat(out), stderr: Buffer.concat(said).toString('utf8') }
  } finally {
    limit.removeEventListener('abort', kill)
  }
}
