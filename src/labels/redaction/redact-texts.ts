import { Fault } from '../../kernel/fault.ts'
import type { Finding } from '../detectors/detect.ts'
import { begunPlaceholder, isOurs, placeholder, placeholderFor, placeholderKind, wordOf } from './placeholder.ts'
import { createScanner, type Scanner } from './scanner.ts'

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

/** Ordinals by first appearance: requests that differ in what was taken out alone become the same bytes, and a conversation that grows keeps its beginning. */
export function createTextRedactor(scanner: Scanner = createScanner({ cacheBytes: 0 })): TextRedactor {
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
    const word = wordOf(kind)
    ordinals[word] = (ordinals[word] ?? 0) + 1
    const made = placeholderFor(kind, ordinals[word])
    known.set(id, made)
    values.set(made, value)
    return made
  }

  function redact(text: string): string {
    const { spans, hidden } = scanner.scan(text)
    const secret = spans.find(({ level }) => level === 3)
    if (secret) {
      throw new Fault('refused', 'redaction_blocked', `this call holds a secret (${secret.kind}), which is not handed on to a cloud model in any form; take it out, or ask a model on this machine`, { kind: secret.kind })
    }
    if (hidden !== undefined) throw notWhole(hidden)
    let redacted = ''
    let at = 0
    for (const span of spans) {
      redacted += text.slice(at, span.start) + standIn(span, text.slice(span.start, span.end))
      at = span.end
    }
    return redacted + text.slice(at)
  }

  function redactValue(value: unknown): unknown {
    if (typeof value === 'string') return redactText(value)
    if (Array.isArray(value)) return value.map(redactValue)
    // a placeholder is no number, so one that says something cannot be taken out
    if (typeof value === 'number') {
      const [seen] = leftIn(String(value), scanner)
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
    name: scanner.name,
    redact,
    redactJson: <T>(value: T) => redactValue(value) as T,
    kinds: () => ({ ...counts }),
    restoring(escape) {
      let held = ''
      return {
        push(piece) {
          held += piece
          const from = begunPlaceholder.exec(held)?.index ?? held.length
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
export function leftIn(text: string, scanner: Scanner = createScanner({ cacheBytes: 0 })): string[] {
  const { spans, hidden } = scanner.scan(text)
  const kinds = spans.flatMap(({ kind, start, end }) => (kind !== placeholderKind ? [kind] : isOurs(text.slice(start, end)) ? [] : ['placeholder that nobody makes']))
  return [...new Set(hidden === undefined ? kinds : [...kinds, hidden])]
}

function notWhole(kind: string): Fault {
  return new Fault('refused', 'redaction_blocked', `this call holds something that cannot be taken out whole (${kind}), so it is not handed on; write it plainly, leave it out, or ask a model on this machine`, { kind })
}
