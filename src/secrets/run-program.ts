import { spawn } from 'node:child_process'
import { accessSync, constants, realpathSync, statSync } from 'node:fs'
import { delimiter, dirname, isAbsolute, join } from 'node:path'
import { Fault } from '../kernel/fault.ts'

export interface ProgramCall {
  readonly program: string
  /** Every user of this machine can read them: nothing secret. */
  readonly args: readonly string[]
  /** Goes in by standard input. */
  readonly input?: string | undefined
  /** Which variables of our own environment it may have, besides the few that every program needs. */
  readonly passes?: RegExp
  /** Paths and the like. */
  readonly environment?: Readonly<Record<string, string>>
  /** It asks the user by his session, e.g. for a fingerprint; others get a session of their own and so no terminal to ask at. */
  readonly inOurSession?: boolean
  /** What it may say when it fails, and what that means for the operator. */
  readonly hints?: readonly (readonly [says: RegExp, means: string])[]
}

export interface ProgramDeps {
  readonly env: NodeJS.ProcessEnv
  readonly milliseconds: number
}

export type RunProgram = (call: ProgramCall) => Promise<Buffer>

const always = /^(?:PATH|HOME|USER|LOGNAME|XDG_(?:CONFIG|DATA|STATE|CACHE)_HOME|XDG_RUNTIME_DIR)$/
const most = { stdout: 1024 * 1024, stderr: 64 * 1024 }

/**
 * Runs a program that handles a secret, with a list of arguments, a bare environment and a limit of time. What it says on stderr stays here: a program that fails
 * may print what it holds. It is only looked through for what is known to be said.
 * @throws Fault `secrets.program_missing`, `secrets.program_late`, `secrets.program_failed`
 */
export async function runProgram(call: ProgramCall, { env, milliseconds }: ProgramDeps): Promise<Buffer> {
  const { program, args, input, passes, environment, inOurSession = false, hints = [] } = call
  const path = findProgram(program, env.PATH ?? '')
  const given = Object.entries(env).filter(([name, value]) => value !== undefined && (always.test(name) || passes?.test(name)))
  const child = spawn(path, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: !inOurSession, env: { ...Object.fromEntries(given), LANG: 'C.UTF-8', ...environment } })
  const kill = () => {
    try {
      if (child.pid !== undefined) process.kill(inOurSession ? child.pid : -child.pid, 'SIGKILL')
    } catch { /* it is gone */ }
  }
  let late = false
  const timer = setTimeout(() => {
    late = true
    kill()
    // a helper that it left behind may hold the pipes for ever
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy()
  }, milliseconds)
  try {
    child.stdin.on('error', () => {}) // it does not read; its end says what came of it
    child.stdin.end(input ?? '')
    const [out, said, ended] = await Promise.all([gather(child.stdout, most.stdout, kill), gather(child.stderr, most.stderr), endOf(child)])
    if (late) throw new Fault('timeout', 'secrets.program_late', `${program} did not answer within ${milliseconds / 1000} s and was ended; run \`${asTypedIn(call)}\` yourself to see what it waits for, or give it longer with --patience 2m`)
    if (ended !== '0' || out === undefined) throw failed(call, out === undefined ? 'said more than a secret can be' : ended, hints.find(([says]) => says.test(said?.toString('utf8') ?? ''))?.[1])
    return out
  } finally {
    clearTimeout(timer)
  }
}

function failed(call: ProgramCall, how: string, hint: string | undefined): Fault {
  const ended = /^\d+$/.test(how) ? `ended with ${how}` : how
  return new Fault('unavailable', 'secrets.program_failed', `${call.program} ${ended}: ${hint ?? `what it said is not repeated, since it may hold the secret; run \`${asTypedIn(call)}\` yourself to see it`}`)
}

/** For the operator's shell. No secret is among the arguments. */
function asTypedIn({ program, args, environment }: ProgramCall): string {
  const word = (text: string) => (/^[\w@%+=:,./~-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`)
  return [...Object.entries(environment ?? {}).map(([name, value]) => `${name}=${word(value)}`), program, ...args.map(word)].join(' ')
}

/** Only folders with an absolute path are looked into, and a program that everybody can replace is none. */
function findProgram(program: string, path: string): string {
  const candidates = isAbsolute(program) ? [program] : path.split(delimiter).filter(isAbsolute).map((folder) => join(folder, program))
  for (const file of candidates) {
    if (!isExecutable(file)) continue
    // who may write into a folder can put another there under its name
    const real = realpathSync(file)
    const open = [real, dirname(file), dirname(real)].find((one) => statSync(one).mode & 0o002)
    if (open !== undefined) throw new Fault('refused', 'secrets.program_writable', `${file} can be replaced by every user, so no secret is given to it; run \`chmod o-w ${open}\` if you know that it is what it should be`)
    return file
  }
  throw new Fault('missing', 'secrets.program_missing', `${program} is not installed, or not on the PATH; install it, or take the secret from elsewhere`)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}

/** Undefined when it was more. */
async function gather(stream: NodeJS.ReadableStream, limit: number, onMore: () => void = () => {}): Promise<Buffer | undefined> {
  const pieces: Buffer[] = []
  let length = 0
  try {
    for await (const piece of stream as AsyncIterable<Buffer>) {
      length += piece.length
      if (length <= limit) pieces.push(piece)
      else onMore()
    }
  } catch {
    return undefined // ended by us
  }
  return length > limit ? undefined : Buffer.concat(pieces)
}

/** Its exit code, or how it ended otherwise. */
function endOf(child: ReturnType<typeof spawn>): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => resolve(`could not be started (${error.code ?? 'unknown'})`))
    child.once('exit', (code, signal) => resolve(code === null ? `was ended by ${signal}` : String(code)))
  })
}
