import { Fault } from '../kernel/fault.ts'

/** Cuts a stream of bytes into lines, or into server-sent events (which end with an empty line). Keeps every byte. */
export interface Splitter {
  /** The pieces that are complete now, each with the newlines that end it. */
  push(bytes: Buffer): Buffer[]
  /** What has begun and has not ended. */
  rest(): Buffer
}

const longestPiece = 8 * 1024 * 1024
const newline = 10
const carriageReturn = 13

/** @throws Fault `upstream.malformed` when one piece is longer than 8 MiB. */
export function createSplitter(upstream: string, by: 'line' | 'event'): Splitter {
  let held: Buffer[] = []
  let heldLength = 0
  // of the line that has begun in what is held
  let lineLength = 0
  let lineBegins = 0

  function complete(bytes: Buffer): Buffer {
    if (held.length === 0) return bytes
    const whole = Buffer.concat([...held, bytes])
    held = []
    heldLength = 0
    return whole
  }

  return {
    push(bytes) {
      const pieces: Buffer[] = []
      let start = 0
      let lineStart = 0
      for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, at + 1)) {
        const length = lineLength + at - lineStart
        const isEmpty = length === 0 || (length === 1 && (lineLength === 1 ? lineBegins : bytes[lineStart]) === carriageReturn)
        lineLength = 0
        lineStart = at + 1
        if (by === 'event' && !isEmpty) continue
        pieces.push(complete(bytes.subarray(start, at + 1)))
        start = at + 1
      }
      if (lineLength === 0 && lineStart < bytes.length) lineBegins = bytes[lineStart]!
      lineLength += bytes.length - lineStart
      if (start < bytes.length) {
        held.push(start === 0 ? bytes : bytes.subarray(start))
        heldLength += bytes.length - start
        if (heldLength > longestPiece) throw new Fault('unavailable', 'upstream.malformed', `upstream ${upstream} sent ${by === 'line' ? 'a line' : 'an event'} of more than ${longestPiece} bytes`, { upstream })
      }
      return pieces
    },
    rest: () => Buffer.concat(held),
  }
}
