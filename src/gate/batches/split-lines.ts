import { Fault } from '../../kernel/fault.ts'
import { bodyLimit } from '../tell-errors.ts'

/** The most that a file holds. */
export const mostBytes = 100 * 1024 * 1024
export const mostLines = 50_000

const groupLines = 1_000
const groupBytes = 1024 * 1024
const lineFeed = 10

/** What stands between the line feeds of a file, in groups of about a megabyte. @throws Fault `request.too_large` */
export async function* splitLines(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer[], void, void> {
  let begun: Buffer[] = []
  let begunBytes = 0
  let group: Buffer[] = []
  let [inGroup, total, count] = [0, 0, 0]

  function begin(piece: Buffer): void {
    begunBytes += piece.length
    if (begunBytes > bodyLimit) throw tooLarge(`line ${count + 1} has more than ${bodyLimit / 1024 / 1024} MiB, as much as a call may hold`)
    begun.push(piece)
  }

  function end(): void {
    const line = begun.length === 1 ? begun[0]! : Buffer.concat(begun)
    group.push(line)
    inGroup += line.length
    begun = []
    begunBytes = 0
    count += 1
    // the last line feed of a file has nothing behind it
    if (count > mostLines + 1) throw tooLarge(`the file has more than ${mostLines} lines; make several of it`)
  }

  for await (const piece of source) {
    total += piece.length
    if (total > mostBytes) throw tooLarge(`the file has more than ${mostBytes / 1024 / 1024} MiB; make several of it`)
    let from = 0
    for (let at = piece.indexOf(lineFeed); at !== -1; at = piece.indexOf(lineFeed, from)) {
      begin(piece.subarray(from, at))
      end()
      from = at + 1
      if (inGroup < groupBytes && group.length < groupLines) continue
      yield group
      group = []
      inGroup = 0
    }
    if (from < piece.length) begin(piece.subarray(from))
  }
  end()
  yield group
}

function tooLarge(message: string): Fault {
  return new Fault('invalid', 'request.too_large', message, { param: 'file' })
}
