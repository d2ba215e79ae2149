import { findSecrets } from '../../labels/index.ts'
import type { compilePatterns, Pattern } from './find-known.ts'

export interface Sighting {
  readonly kind: string
  /** From 1. */
  readonly line: number
  /** A secret of this house, and not just what looks like one. */
  readonly known: boolean
  /** What stands there. It goes into a digest and nowhere else. */
  readonly value: string
}

export interface TextScan {
  /** Undefined: it is no text, and nothing more of it is looked at. */
  feed(piece: Buffer): Sighting[] | undefined
  end(): Sighting[]
}

export interface Wanted {
  readonly patterns: readonly Pattern[]
  readonly finder: ReturnType<typeof compilePatterns>
}

/** Text is held back up to the end of a line; of lines longer than that a part is looked at twice, longer than anything a detector knows. */
const most = 1024 * 1024
const overlap = 16 * 1024
const binaryLook = 8_000
/** Behind the line that all private keys begin with, what tells one from another; both are looked at together. */
const keyBody = 120
const keyBegins = { word: '-----BEGIN ', longest: 100 }

/** Looks through one text that comes in pieces, in memory and time that do not grow with its lines: for values that are known, and for what looks like a secret. */
export function scanText({ patterns, finder }: Wanted): TextScan {
  const known = finder.start()
  let begun = false
  let fed = 0
  let fedLines = 0
  let held = ''
  let heldAt = 0
  let heldLines = 0
  let seenUpTo = 0
  let ranges: { from: number; to: number }[] = []

  function findKnown(piece: Buffer): Sighting[] {
    const found = known.feed(piece).map(({ pattern, end }): Sighting => {
      const { name, bytes } = patterns[pattern]!
      ranges.push({ from: end - bytes.length + 1, to: end })
      return { kind: `secret ${name}`, line: fedLines + countLines(piece, end - fed) + 1, known: true, value: name }
    })
    fedLines += countLines(piece, piece.length)
    fed += piece.length
    return found
  }

  function look(until: number, keep: number): Sighting[] {
    const text = held.slice(0, until)
    // what begins further back is seen whole next time
    const upTo = heldAt + until - keep / 2
    const found = findSecrets(text).flatMap(({ kind, start, end }): Sighting[] => {
      const from = heldAt + start
      if (from < seenUpTo || from >= upTo || ranges.some((range) => range.from < heldAt + end && from <= range.to)) return []
      return [{ kind, line: heldLines + countBreaks(text, start) + 1, known: false, value: text.slice(start, kind === 'private key' ? end + keyBody : end) }]
    })
    const gone = until - keep
    seenUpTo = upTo
    heldLines += countBreaks(held, gone)
    held = held.slice(gone)
    heldAt += gone
    ranges = ranges.filter(({ to }) => to >= heldAt)
    return found
  }

  return {
    feed(piece) {
      if (!begun && piece.subarray(0, binaryLook).includes(0)) return undefined
      begun = true
      const found = findKnown(piece)
      held += piece.toString('latin1')
      const lastBreak = held.lastIndexOf('\n') + 1
      const key = held.indexOf(keyBegins.word, Math.max(0, lastBreak - keyBody - keyBegins.longest))
      if (lastBreak > 0) found.push(...look(key === -1 ? lastBreak : Math.min(key, lastBreak), 0))
      else if (held.length > most) found.push(...look(held.length, overlap))
      return found
    },
    end: () => look(held.length, 0),
  }
}

function countLines(piece: Buffer, until: number): number {
  let count = 0
  for (let at = piece.indexOf(10); at !== -1 && at < until; at = piece.indexOf(10, at + 1)) count++
  return count
}

function countBreaks(text: string, until: number): number {
  let count = 0
  for (let at = text.indexOf('\n'); at !== -1 && at < until; at = text.indexOf('\n', at + 1)) count++
  return count
}
