import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { Attachment, Envelope, ParseError } from '../mailbox.ts'
import { BoundedParser, type MailPart } from './bounded-parser.ts'
import { envelopeOf } from './envelope.ts'

export interface ReadMail {
  readonly envelope: Envelope
  readonly text: string
  readonly error?: ParseError
}

/** Bytes of a message that are kept to read its head again when the whole cannot be parsed. */
export const headBytes = 64 * 1024
/** Milliseconds for a message, and more for each megabyte. Ordinary ones take a fiftieth of it, one of nothing but line ends a second a megabyte. */
const ordinaryBudget = 8_000
const perMegabyte = 250
/** Characters of text that are kept. */
const textLength = 200_000

/** Reads one raw message as it streams in. Whatever is wrong with it, what could be read is returned, with the reason. */
export async function readMessage(chunks: AsyncIterable<Buffer>, budgetMs = ordinaryBudget): Promise<ReadMail> {
  const head: Buffer[] = []
  let headLength = 0
  const attempt = startParser(budgetMs)
  for await (const chunk of chunks) {
    if (headLength < headBytes) {
      head.push(chunk.subarray(0, headBytes - headLength))
      headLength += chunk.length
    }
    await attempt.write(chunk)
  }
  const read = await attempt.end()
  if (read.headers) return resultOf(read)
  const again = startParser(budgetMs)
  await again.write(headOnly(Buffer.concat(head)))
  const fromHead = await again.end()
  return resultOf({ ...fromHead, error: read.error ?? { code: 'mail.no_head', message: 'it has no head that could be read' } })
}

interface Parsed {
  readonly headers: BoundedParser['headerLines'] | false
  readonly parser: BoundedParser
  readonly attachments: readonly Attachment[]
  readonly error?: ParseError
}

function startParser(budgetMs: number) {
  const parser = new BoundedParser()
  const attachments: Attachment[] = []
  let deadline = performance.now() + budgetMs
  let failure: Error | undefined
  const done = new Promise<void>((resolve) => {
    const onError = (error: Error) => {
      failure ??= error
      resolve()
    }
    parser.once('end', resolve)
    parser.on('error', onError)
    // once its input has ended, the parser keeps what its splitter runs into for itself
    parser.splitter.on('error', onError)
  })
  parser.on('data', (part: MailPart) => {
    if (part.type !== 'attachment') return
    const hash = createHash('sha256')
    let size = 0
    part.content.on('data', (chunk: Buffer) => {
      hash.update(chunk)
      size += chunk.length
    })
    part.content.once('error', () => part.release())
    part.content.once('end', () => {
      attachments.push({ name: (part.filename ?? '').slice(0, 200), type: (part.contentType ?? '').slice(0, 100), size, sha256: hash.digest('hex') })
      part.release()
    })
  })
  return {
    async write(chunk: Buffer): Promise<void> {
      deadline += (chunk.length / 1_048_576) * perMegabyte
      if (!failure && performance.now() > deadline) failure = Object.assign(new Error('it takes too long to read'), { code: 'EMAXLEN' })
      if (failure || parser.write(chunk)) return
      await Promise.race([once(parser, 'drain'), done])
    },
    async end(): Promise<Parsed> {
      if (!failure) {
        parser.end()
        await done
      }
      const error = failure ? describe(failure) : parser.textLimitReached ? { code: 'mail.text_size', message: 'its text was longer than is read; the rest is left out' } : undefined
      return { headers: parser.headerLines, parser, attachments, ...(error && { error }) }
    },
  }
}

function resultOf({ parser, attachments, error }: Parsed): ReadMail {
  const whole = parser.readText()
  const text = whole.slice(0, textLength)
  const cut = whole.length > textLength ? { code: 'mail.text_size', message: `only the first ${textLength} characters of its text are kept` } : undefined
  const envelope = envelopeOf(parser.headers || new Map(), parser.headerLines || [], attachments, text)
  const said = error ?? cut
  return { envelope, text, ...(said && { error: said }) }
}

function describe(failure: Error & { code?: string }): ParseError {
  if (failure.code === 'EMAXLEN') return { code: 'mail.limit', message: `it is built to exhaust a reader: ${failure.message}` }
  return { code: 'mail.malformed', message: `it could not be read to its end: ${failure.message.slice(0, 300)}` }
}

/** The first lines, closed by an empty one, without a part that would open a body. */
function headOnly(start: Buffer): Buffer {
  const text = start.toString('latin1')
  const blank = /\r?\n\r?\n/.exec(text)?.index
  const lines = text.slice(0, blank ?? text.lastIndexOf('\n')).split('\n').slice(0, 500)
  const kept: string[] = []
  for (const line of lines) {
    const continues = /^[ \t]/.test(line)
    if (continues ? kept.length > 0 : /^(?:from|to|cc|reply-to|subject|date|message-id|in-reply-to|list-unsubscribe|auto-submitted):/i.test(line)) {
      kept.push(line.slice(0, 2_000))
    } else if (!continues) kept.push('X-Left-Out: 1')
  }
  return Buffer.from(`${kept.join('\n')}\n\n`, 'latin1')
}
