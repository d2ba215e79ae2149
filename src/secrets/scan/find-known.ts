/** A value that must be nowhere, in one of the forms in which it could stand. */
export interface Pattern {
  /** Which secret, and written how. */
  readonly name: string
  readonly bytes: Uint8Array
}

export interface KnownMatch {
  readonly pattern: number
  /** Where its last byte is, in all that was fed so far. */
  readonly end: number
}

/** Finds many patterns in one pass over bytes that come in pieces, in a time that depends on the bytes alone (Aho and Corasick, 1975). */
export interface KnownFinder {
  feed(piece: Uint8Array): KnownMatch[]
}

/** One automaton for all; `start` gives a reader of one stream. */
export function compilePatterns(patterns: readonly Pattern[]): { start(): KnownFinder } {
  const size = patterns.reduce((sum, { bytes }) => sum + bytes.length, 1)
  const next = new Int32Array(size * 256).fill(-1)
  const fail = new Int32Array(size)
  const ends: number[][] = [[]]
  let states = 1
  patterns.forEach(({ bytes }, index) => {
    let state = 0
    for (const byte of bytes) {
      const at = state * 256 + byte
      if (next[at] === -1) {
        next[at] = states++
        ends.push([])
      }
      state = next[at]!
    }
    ends[state]!.push(index)
  })
  // breadth first, so that where a state falls back to is complete before the state is
  const queue: number[] = []
  for (let byte = 0; byte < 256; byte++) {
    if (next[byte] === -1) next[byte] = 0
    else queue.push(next[byte]!)
  }
  for (const state of queue) {
    ends[state]!.push(...ends[fail[state]!]!)
    for (let byte = 0; byte < 256; byte++) {
      const at = state * 256 + byte
      const back = next[fail[state]! * 256 + byte]!
      if (next[at] === -1) next[at] = back
      else {
        fail[next[at]!] = back
        queue.push(next[at]!)
      }
    }
  }
  const isEnd = Uint8Array.from(ends, (found) => (found.length > 0 ? 1 : 0))

  return {
    start() {
      let state = 0
      let position = 0
      return {
        feed(piece) {
          const found: KnownMatch[] = []
          for (let index = 0; index < piece.length; index++) {
            state = next[state * 256 + piece[index]!]!
            if (isEnd[state]) for (const pattern of ends[state]!) found.push({ pattern, end: position + index })
          }
          position += piece.length
          return found
        },
      }
    },
  }
}
