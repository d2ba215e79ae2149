import { Fault } from '../../kernel/fault.ts'
import { findContacts } from '../detectors/contacts.ts'
import { findings, type Finding } from '../detectors/detect.ts'
import { findEncoded } from '../detectors/encoded.ts'
import { createDictionary, type Dictionary } from '../dictionary/dictionary.ts'

/** Redacts the texts of one request and restores those of its answer. What stands for what is known to it alone, and gone with it. */
export interface TextRedactor {
  /** Of the rules, with their version. */
  readonly name: string
  /** @throws Fault `redaction_blocked` when a text holds a secret: those are handed on in no form */
  redact(text: string): string
  /** Every text of a JSON value, keys among them, also in texts that hold JSON. */
  redactJson<T>(value: T): T
  /** How many spans of each kind were taken out. */
  kinds(): Readonly<Record<string, number>>
  /** Puts the values back into a text that arrives in pieces. `escape`: how a value is written there. */
  restoring(escape?: (value: string) => string): Restoring
}

export interface Restoring {
  /** As much as can be said already. */
  push(piece: string): string
  end(): string
}

/** The form of what stands for a value. One that a text brings along is taken out as a value, so that restoring invents nothing. */
const placeholder = /\[\[[A-Z]{1,20}(?:_[A-Z]{1,20}){0,3}_\d{1,6}\]\]/g
/** What could become one with the next piece. */
const begun = /\[(?:\[[A-Z_\d]{0,90}\]?)?$/
const name = 'castellan-1'
const passes = 8
const noWords = createDictionary([])

/** Ordinals by first appearance: requests that differ in what was taken out alone become the same bytes, and a conversation that grows keeps its beginning. */
export function createTextRedactor(dictionary: Dictionary = noWords): TextRedactor {
  const known = new Map<string, string>()
  const values = new Map<string, string>()
  const counts: Record<string, number> = {}
  const ordinals: Record<string, number> = {}

  function restore(text: string, escape = (value: string) => value): string {
    return text.replaceAll(placeholder, (found) => (values.has(found) ? escape(values.get(found)!) : found))
  }

  function standIn({ kind }: Finding, value: string): string {
    counts[kind] = (counts[kind] ?? 0) + 1
    const id = `${kind} ${value}`
    const found = known.get(id)
    if (found !== undefined) return found
    const word = kind.toUpperCase().replace(/[^A-Z]+/g, '_')
    ordinals[word] = (ordinals[word] ?? 0) + 1
    const made = `[[${word}_${ordinals[word]}]]`
    known.set(id, made)
    values.set(made, value)
    return made
  }

  function redact(text: string): string {
    const redacted = takeOutAll(text)
    const [hidden] = hiddenIn(redacted, dictionary)
    if (hidden !== undefined) throw notWhole(hidden)
    return redacted
  }

  /** What is taken out can bring to light what stood beside it: again, until nothing is found. */
  function takeOutAll(text: string): string {
    let redacted = takeOut(text, [...spansSeen(text, dictionary), ...placeholdersIn(text)], (value) => value)
    for (let left = spansSeen(redacted, dictionary), pass = 1; left.length > 0; left = spansSeen(redacted, dictionary), pass += 1) {
      if (pass === passes) throw notWhole(left[0]!.kind)
      redacted = takeOut(redacted, left, restore)
    }
    return redacted
  }

  function takeOut(text: string, spans: readonly Finding[], asItCame: (value: string) => string): string {
    let redacted = ''
    let at = 0
    for (const span of apart(spans)) {
      if (span.level === 3) {
        throw new Fault('refused', 'redaction_blocked', `this call holds a secret (${span.kind}), which is not handed on to a cloud model in any form; take it out, or ask a model on this machine`, { kind: span.kind })
      }
      redacted += text.slice(at, span.start) + standIn(span, asItCame(text.slice(span.start, span.end)))
      at = span.end
    }
    return redacted + text.slice(at)
  }

  function redactValue(value: unknown): unknown {
    if (typeof value === 'string') return redactText(value)
    if (Array.isArray(value)) return value.map(redactValue)
    // a placeholder is no number, so one that says something cannot be taken out
    if (typeof value === 'number') {
      const [seen] = leftIn(String(value), dictionary)
      if (seen !== undefined) throw notWhole(seen)
    }
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, field]) => [redact(key), redactValue(field)]))
  }

  /** Inside JSON a value may be written with escapes, which no detector would know. */
  function redactText(text: string): string {
    if (!/^\s*[{["]/.test(text)) return redact(text)
    let parsed: unknown
    try {
      parsed = JSON.parse(text)
    } catch {
      return redact(text)
    }
    const redacted = JSON.stringify(redactValue(parsed))
    // what nothing was taken out of stays as it was written: numbers may have more digits than a double
    return redacted === JSON.stringify(parsed) ? text : redacted
  }

  return {
    name,
    redact,
    redactJson: <T>(value: T) => redactValue(value) as T,
    kinds: () => ({ ...counts }),
    restoring(escape) {
      let held = ''
      return {
        push(piece) {
          held += piece
          const from = begun.exec(held)?.index ?? held.length
          const said = restore(held.slice(0, from), escape)
          held = held.slice(from)
          return said
        },
        end() {
          const said = restore(held, escape)
          held = ''
          return said
        },
      }
    },
  }
}

/** The kinds of what is still in a text that was redacted; placeholders are meant to be there. */
export function leftIn(text: string, dictionary: Dictionary = noWords): string[] {
  return [...new Set([...spansSeen(text, dictionary).map(({ kind }) => kind), ...hiddenIn(text, dictionary)])]
}

function notWhole(kind: string): Fault {
  return new Fault('refused', 'redaction_blocked', `this call holds something that cannot be taken out whole (${kind}), so it is not handed on; write it plainly, leave it out, or ask a model on this machine`, { kind })
}

/** Characters that nobody sees. */
const invisible = /\p{Default_Ignorable_Code_Point}/gu

/** The kinds of what is seen only once characters are written as they are meant: without invisible ones, in their plain form, without escapes. */
function hiddenIn(text: string, dictionary: Dictionary): string[] {
  if (!/[^\0-\x7F]|\\u/.test(text)) return []
  const unescaped = text.replaceAll(/\\u([0-9A-Fa-f]{4})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  const plain = unescaped.normalize('NFKC').replaceAll(invisible, '')
  return plain === text ? [] : [...new Set(spansSeen(plain, dictionary).map(({ kind }) => kind))]
}

function spansSeen(text: string, dictionary: Dictionary): Finding[] {
  const see = (plain: string) => [...findings(plain), ...findContacts(plain), ...dictionary.find(plain)]
  return [...see(text), ...findEncoded(text, see)]
}

function placeholdersIn(text: string): Finding[] {
  return [...text.matchAll(placeholder)].map((match): Finding => ({ kind: 'text', level: 1, start: match.index, end: match.index + match[0].length }))
}

/** In the order of the text; where spans lie over each other, all of them as one. */
function apart(spans: readonly Finding[]): Finding[] {
  const taken: Finding[] = []
  for (const span of [...spans].sort((a, b) => a.start - b.start || b.end - a.end)) {
    const last = taken.at(-1)
    if (last === undefined || span.start >= last.end) taken.push(span)
    // one span over both, of the graver kind: of what lies over each other nothing is left standing
    else taken[taken.length - 1] = { kind: span.level > last.level ? span.kind : last.kind, level: span.level > last.level ? span.level : last.level, start: last.start, end: Math.max(last.end, span.end) }
  }
  return taken
}
