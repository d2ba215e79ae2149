import { wrong } from '../check.ts'

/** A field of a form, or a file in it. Its body is read before the next part is asked for, or passed over. */
export interface Part {
  readonly name: string
  /** Undefined: a field. */
  readonly filename: string | undefined
  readonly body: AsyncIterable<Buffer>
}

const longestHead = 8 * 1024
const mostParts = 20

/** The parts of a multipart form (RFC 7578) as they arrive: a file is never held as a whole. @throws Fault `request.invalid` */
export async function* readMultipart(source: AsyncIterable<Buffer>, contentType: string): AsyncGenerator<Part, void, void> {
  const boundary = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType)
  if (!boundary) throw wrong('content-type', 'multipart/form-data with a boundary')
  const delimiter = Buffer.from(`\r\n--${boundary[1] ?? boundary[2]}`, 'latin1')
  // the first delimiter has no line before it
  const reader = createReader(source, Buffer.from('\r\n'))
  try {
    await drain(reader.until(delimiter))
    for (let count = 0; count < mostParts; count += 1) {
      const after = await reader.take(2)
      if (after === '--') return
      if (after !== '\r\n') throw broken()
      const head = await readWhole(reader.until(Buffer.from('\r\n\r\n')), longestHead)
      const body = reader.until(delimiter)
      yield { ...namesOf(head), body }
      await drain(body)
    }
  } finally {
    // what is left is somebody else's to pass over
    await reader.close()
  }
  throw wrong('the form', `one of up to ${mostParts} parts`)
}

/** A field as text. @throws Fault `request.invalid` where it is longer than `most` bytes */
export async function readWhole(pieces: AsyncIterable<Buffer>, most: number): Promise<string> {
  const read: Buffer[] = []
  let length = 0
  for await (const piece of pieces) {
    length += piece.length
    if (length > most) throw wrong('the form', `one whose fields have up to ${most} bytes`)
    read.push(piece)
  }
  return Buffer.concat(read).toString('utf8')
}

function namesOf(head: string): Pick<Part, 'name' | 'filename'> {
  const disposition = /^content-disposition:\s*form-data;(.*)$/im.exec(head)?.[1]
  const name = disposition && /(?:^|;)\s*name="([^"]*)"/i.exec(disposition)?.[1]
  if (!disposition || name === undefined) throw broken()
  return { name, filename: /(?:^|;)\s*filename="([^"]*)"/i.exec(disposition)?.[1] }
}

async function drain(pieces: AsyncIterable<Buffer>): Promise<void> {
  for await (const _ of pieces);
}

function broken(): Error {
  return wrong('the body', 'a multipart form that ends as it says')
}

interface Reader {
  /** What comes before the delimiter, piece by piece; the delimiter is read too. */
  until(delimiter: Buffer): AsyncGenerator<Buffer, void, void>
  take(bytes: number): Promise<string>
  close(): Promise<void>
}

function createReader(source: AsyncIterable<Buffer>, before: Buffer): Reader {
  const pieces = source[Symbol.asyncIterator]()
  let held = before

  async function more(): Promise<void> {
    const { done, value } = await pieces.next()
    if (done) throw broken()
    held = held.length === 0 ? value : Buffer.concat([held, value])
  }

  return {
    async *until(delimiter) {
      for (;;) {
        const at = held.indexOf(delimiter)
        // what may be the beginning of a delimiter stays
        const end = at === -1 ? Math.max(0, held.length - delimiter.length + 1) : at
        const piece = held.subarray(0, end)
        held = held.subarray(at === -1 ? end : end + delimiter.length)
        if (piece.length > 0) yield piece
        if (at !== -1) return
        await more()
      }
    },
    async take(bytes) {
      while (held.length < bytes) await more()
      const taken = held.subarray(0, bytes).toString('latin1')
      held = held.subarray(bytes)
      return taken
    },
    async close() {
      await pieces.return?.()
    },
  }
}
