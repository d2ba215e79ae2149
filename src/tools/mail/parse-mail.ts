import { Fault } from '../../kernel/fault.ts'
import { runBounded } from '../../sandbox/index.ts'
import type { Sandbox, SandboxResult } from '../../sandbox/index.ts'
import { confinedNode, mailReader, readable } from './confined-node.ts'
import { emptyEnvelope, parsedMailSchema, type ParsedMail } from './parsed-mail.ts'

/** Parses raw messages in a process of their own; yields each with its place in the batch as soon as it is known. Every message gets an answer. */
export type ParseMail = (raws: readonly Buffer[], signal: AbortSignal) => AsyncGenerator<readonly [index: number, mail: ParsedMail]>

export interface ParseMailDeps {
  readonly sandbox: Sandbox
  /** Milliseconds that a batch may take, and as much again for each 20 MB. */
  readonly timeoutMs?: number | undefined
  /** Megabytes of JavaScript heap of the parsing process. */
  readonly heapMegabytes?: number | undefined
}

const megabyte = 1024 * 1024
const headBytes = 64 * 1024

/** A parser that runs in the sandbox; where there is none, in a process that Node itself keeps from files, processes and threads. */
export function createMailParser({ sandbox, timeoutMs = 20_000, heapMegabytes = 256 }: ParseMailDeps): ParseMail {
  async function run(raws: readonly Buffer[], signal: AbortSignal): Promise<Answer> {
    const bytes = raws.reduce((sum, raw) => sum + raw.length, 0)
    const { file, options } = confinedNode(heapMegabytes)
    const args = [...options, mailReader]
    const limits = { timeoutMs: timeoutMs * (1 + bytes / (20 * megabyte)), outputBytes: 4 * megabyte + raws.length * 2 * megabyte }
    const stdin = framed(raws)
    if ((await sandbox.status()).ok) {
      const folders = [file, ...readable].map((path) => ({ path, access: 'read' as const }))
      const memoryBytes = (heapMegabytes + 1_024) * megabyte
      return read(await sandbox.run({ argv: [file, ...args], folders, stdin, signal, limits: { ...limits, memoryBytes, cpuSeconds: Math.ceil(limits.timeoutMs / 1_000) } }))
    }
    return read(await runBounded({ file, arguments: args, env: {}, stdin, signal, ...limits }))
  }

  return async function* parse(raws, signal) {
    let waiting = raws.map((_, index) => index)
    while (waiting.length > 0) {
      const answer = await run(waiting.map((index) => raws[index]!), signal)
      for (const [at, mail] of answer.mails.entries()) yield [waiting[at]!, mail]
      const culprit = waiting[answer.mails.length]
      waiting = waiting.slice(answer.mails.length + 1)
      if (culprit === undefined) return
      yield [culprit, await readHead(raws[culprit]!, answer.why, signal)]
    }
  }

  /** Of a message that ended its reader, at least the head, if that does not end it too. */
  async function readHead(raw: Buffer, error: { code: string; message: string }, signal: AbortSignal): Promise<ParsedMail> {
    const [mail] = (await run([raw.subarray(0, headBytes)], signal)).mails
    return { ...(mail ?? { envelope: emptyEnvelope, text: '' }), error }
  }
}

interface Answer {
  readonly mails: readonly ParsedMail[]
  /** Why there are not more of them. */
  readonly why: { readonly code: string; readonly message: string }
}

function read(result: SandboxResult): Answer {
  const lines = result.stdout.toString('utf8').split('\n')
  // what follows the last line end was cut off
  lines.pop()
  if (lines[0] !== '{"ready":true}') {
    const said = result.stderr.toString('utf8').trim().split('\n').slice(0, 5).join(' ').slice(0, 500)
    throw new Fault('unavailable', 'mail.parser', `the process that reads mail did not start (${result.ended} ${result.exitCode}): ${said}; no message was touched`)
  }
  const mails: ParsedMail[] = []
  for (const line of lines.slice(1)) {
    const parsed = parsedMailSchema.safeParse(parseJson(line))
    if (!parsed.success) return { mails, why: { code: 'mail.parser_answer', message: 'the process that read it gave no proper answer' } }
    mails.push(parsed.data)
  }
  return { mails, why: reasonOf(result) }
}

function reasonOf({ ended }: SandboxResult): Answer['why'] {
  if (ended === 'timeout') return { code: 'mail.too_slow', message: 'reading it took longer than is allowed; only its head was read' }
  return { code: 'mail.parser_died', message: 'the process that read it was ended by it, e.g. because it takes too much memory; only its head was read' }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

function* framed(raws: readonly Buffer[]): Generator<Uint8Array> {
  for (const raw of raws) {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(raw.length)
    yield length
    for (let at = 0; at < raw.length; at += megabyte) yield raw.subarray(at, at + megabyte)
  }
}
