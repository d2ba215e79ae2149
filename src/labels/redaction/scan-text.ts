import type { Finding } from '../detectors/detect.ts'
import { placeholderKind, placeholdersIn } from './placeholder.ts'

export type Detector = (text: string) => readonly Finding[]

/** What is in a text that may not be handed on. Positions and kinds, never a value. */
export interface Scan {
  /** In the order of the text, none over another; placeholders that it brought along are among them. */
  readonly spans: readonly Finding[]
  /** The kind of what is there and cannot be taken out whole. */
  readonly hidden?: string | undefined
}

/** Stands for what is taken out while the rest is looked at, whatever its ordinal will be: so a scan depends on the text alone. */
const gap = '[[]]'
const passes = 8

/** Everything that `see` sees in a text. What is taken out can bring to light what stood beside it: it looks again, until nothing is found. */
export function scanText(text: string, see: Detector): Scan {
  const plain = withPlainGaps(text)
  let spans = apart(placeholdersIn(text))
  for (let pass = 0; ; pass += 1) {
    const rest = withoutSpans(plain, spans)
    const found = pass === 0 ? see(rest) : seeAround(rest, see)
    if (found.length === 0) return { spans, hidden: hiddenIn(rest, see) }
    // a secret is handed on in no form, so the rest need not be known
    if (pass === passes || found.some(({ level }) => level === 3)) return { spans: apart([...spans, ...inText(found, spans)]), hidden: found[0]!.kind }
    spans = apart([...spans, ...inText(found, spans)])
  }
}

const beyondAscii = /[^\0-\x7F]/

/** Spaces that do not break, and dots in one character, as detectors know them; one for one, so that positions stay. */
function withPlainGaps(text: string): string {
  if (!beyondAscii.test(text)) return text
  return text.replaceAll(/[\u00A0\u2007\u2009\u202F\u2026]/g, (character) => (character === '\u2026' ? '.' : ' '))
}

function withoutSpans(text: string, spans: readonly Finding[]): string {
  let rest = ''
  let at = 0
  for (const { start, end } of spans) {
    rest += text.slice(at, start) + gap
    at = end
  }
  return at === 0 ? text : rest + text.slice(at)
}

/** Characters that what a detector knows can have on one side of a space, the words beside it among them. Runs without a space are looked at whole. */
const reach = 200

/** What was not there before stands at a gap, or leans on a word that did: the rest was looked at already. */
function seeAround(rest: string, see: Detector): Finding[] {
  const found: Finding[] = []
  let until = 0
  for (let at = rest.indexOf(gap); at !== -1; at = rest.indexOf(gap, until)) {
    const from = Math.max(until, lastSpace(rest, at - reach))
    until = at
    // gaps that are near each other are looked at together
    for (let next = at; next !== -1 && next <= until + reach; next = rest.indexOf(gap, next + gap.length)) until = nextSpace(rest, Math.max(until, next + gap.length + reach))
    for (const finding of see(rest.slice(from, until))) found.push({ ...finding, start: finding.start + from, end: finding.end + from })
  }
  return found
}

const space = /\s/

function lastSpace(text: string, before: number): number {
  let at = before
  while (at > 0 && !space.test(text[at]!)) at -= 1
  return Math.max(0, at)
}

function nextSpace(text: string, from: number): number {
  let at = from
  while (at < text.length && !space.test(text[at]!)) at += 1
  return Math.min(at, text.length)
}

/** Where findings in a text with gaps are in the whole text. One that reaches into a gap takes all that the gap stands for. */
function inText(found: readonly Finding[], spans: readonly Finding[]): Finding[] {
  if (spans.length === 0) return [...found]
  const gaps: { readonly start: number; readonly span: Finding }[] = []
  let shorter = 0
  for (const span of spans) {
    gaps.push({ start: span.start - shorter, span })
    shorter += span.end - span.start - gap.length
  }
  const place = (at: number, edge: 'start' | 'end'): number => {
    let low = 0
    let high = gaps.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (gaps[middle]!.start < at || (edge === 'start' && gaps[middle]!.start === at)) low = middle + 1
      else high = middle
    }
    const before = gaps[low - 1]
    if (before === undefined) return at
    const inside = edge === 'start' ? at < before.start + gap.length : at <= before.start + gap.length
    return inside ? before.span[edge] : at - before.start - gap.length + before.span.end
  }
  return found.map((finding) => ({ ...finding, start: place(finding.start, 'start'), end: place(finding.end, 'end') }))
}

/** Characters that nobody sees. */
const invisible = /\p{Default_Ignorable_Code_Point}/gu

/** The kind of what is seen only once characters are written as they are meant: without invisible ones, in their plain form, without escapes. */
function hiddenIn(text: string, see: Detector): string | undefined {
  if (!beyondAscii.test(text) && !text.includes('\\u')) return undefined
  const unescaped = text.replaceAll(/\\u([0-9A-Fa-f]{4})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  const plain = unescaped.normalize('NFKC').replaceAll(invisible, '')
  return plain === text ? undefined : see(plain)[0]?.kind
}

/** In the order of the text; where spans lie over each other, all of them as one, of the graver kind: nothing is left standing. */
function apart(spans: readonly Finding[]): Finding[] {
  const taken: Finding[] = []
  for (const span of [...spans].sort((a, b) => a.start - b.start || b.end - a.end)) {
    const last = taken.at(-1)
    if (last === undefined || span.start >= last.end) taken.push(span)
    else {
      const { kind, level } = span.level > last.level || last.kind === placeholderKind ? span : last
      taken[taken.length - 1] = { kind, level, start: last.start, end: Math.max(last.end, span.end) }
    }
  }
  return taken
}
