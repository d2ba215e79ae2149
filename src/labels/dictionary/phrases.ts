import { fold, formsOf } from './fold.ts'

/** A word or words, and what they stand for. */
export interface Phrase<T> {
  readonly value: T
  readonly words: string
}

export interface FoundPhrase<T> {
  readonly value: T
  readonly start: number
  readonly end: number
}

/** Finds phrases however they are written. Costs as much for five thousand of them as for five. */
export interface PhraseFinder<T> {
  find(text: string): FoundPhrase<T>[]
}

interface Continuation<T> {
  readonly value: T
  /** Folded, behind the first. */
  readonly rest: readonly string[]
  /** As written, where it is so short that case alone tells it from a word of a sentence. */
  readonly exactly?: string
}

/** Up to so many letters a word must have the case in which it was written down. */
const shortest = 3
/** Behind a word in some of its cases: the owner's s, and German endings. */
const endings = ['s', 'es', 'n', 'en', 'ns']
const word = /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*/uy
/** Between the words of one phrase. */
const between = /[^\p{L}\p{N}]{1,3}/uy

export function createPhraseFinder<T>(phrases: readonly Phrase<T>[]): PhraseFinder<T> {
  const known = new Map<string, Continuation<T>[]>()
  /** For the first two characters of a folded word: may one begin so? */
  const begins = new Uint8Array(1 << 14)

  for (const { value, words } of phrases) {
    for (const [first, ...rest] of formsOf(words)) {
      if (first === undefined) continue
      const going: Continuation<T> = { value, rest, ...(rest.length === 0 && first.length <= shortest && { exactly: words.normalize('NFKC').trim() }) }
      for (const form of rest.length === 0 && !going.exactly ? [first, ...endings.map((ending) => first + ending)] : [first]) {
        known.set(form, [...(known.get(form) ?? []), going])
        begins[placeOf(form.charCodeAt(0) & 127, form.length > 1 ? form.charCodeAt(1) & 127 : 0)] = 1
      }
    }
  }
  if (known.size === 0) return { find: () => [] }

  /** The end of a phrase whose first word ends at `at`. */
  function endOf(text: string, at: number, rest: readonly string[]): number | undefined {
    for (const [index, wanted] of rest.entries()) {
      between.lastIndex = at
      if (!between.test(text)) return undefined
      word.lastIndex = between.lastIndex
      const found = word.exec(text)
      if (!found) return undefined
      const folded = fold(found[0])
      const isLast = index === rest.length - 1
      if (folded !== wanted && !(isLast && folded.startsWith(wanted) && endings.includes(folded.slice(wanted.length)))) return undefined
      at = word.lastIndex
    }
    return at
  }

  function lookAt(text: string, start: number): FoundPhrase<T> | undefined {
    word.lastIndex = start
    const found = word.exec(text)
    if (!found) return undefined
    const end = word.lastIndex
    let longest: FoundPhrase<T> | undefined
    for (const { value, rest, exactly } of known.get(fold(found[0])) ?? []) {
      if (exactly !== undefined && found[0] !== exactly) continue
      const until = endOf(text, end, rest)
      if (until !== undefined && until > (longest?.end ?? -1)) longest = { value, start, end: until }
    }
    return longest
  }

  return {
    find(text) {
      const found: FoundPhrase<T>[] = []
      let isInside = false
      for (let at = 0; at < text.length; at += 1) {
        const code = text.charCodeAt(at)
        const isPart = code < 128 ? letters[code] !== 0 : isLetter(text, at)
        if (isPart && !isInside && (code >= 128 || mayBegin(text, at, code, begins))) {
          const seen = lookAt(text, at)
          if (seen) {
            found.push(seen)
            at = seen.end - 1
          }
        }
        isInside = isPart
      }
      return found
    },
  }
}

/** Lower case of each ASCII letter or digit; 0 for all else. */
const letters = Uint8Array.from({ length: 128 }, (_, code) => (/[0-9A-Za-z]/.test(String.fromCharCode(code)) ? String.fromCharCode(code).toLowerCase().charCodeAt(0) : 0))

function placeOf(first: number, second: number): number {
  return (first << 7) | second
}

/** A first letter beyond ASCII, or a second one, may fold to anything. */
function mayBegin(text: string, at: number, code: number, begins: Uint8Array): boolean {
  const next = text.charCodeAt(at + 1)
  return next >= 128 || begins[placeOf(letters[code]!, Number.isNaN(next) ? 0 : letters[next]!)] === 1
}

function isLetter(text: string, at: number): boolean {
  return /[\p{L}\p{N}\p{M}]/u.test(String.fromCodePoint(text.codePointAt(at)!))
}
