import { readFileSync } from 'node:fs'
import { findAll, findings } from '../src/labels/detectors/detect.ts'
import { createTextRedactor, leftIn } from '../src/labels/redaction/redact-texts.ts'
import { createScanner } from '../src/labels/redaction/scanner.ts'
import { middle, type Figure } from './figure.ts'
import { labelledTexts, type LabelledText } from './redaction-cases.ts'

/** Bytes of a block, as messages and results of tools are long. */
const blockLength = 4_000

/** What the redactor finds of what it should, what it takes for it, and how fast. */
export async function measureRedaction(rounds: number, onProgress: (line: string) => void): Promise<Figure[]> {
  const cases = labelledTexts()
  return [...quality(cases, onProgress), ...speed(blocksOf(mixedText(cases)), rounds)]
}

function quality(cases: readonly LabelledText[], onProgress: (line: string) => void): Figure[] {
  const scanner = createScanner({ cacheBytes: 0 })
  const wanted = new Map<string, { found: number; all: number }>()
  let found = 0
  let right = 0
  for (const { text, spans } of cases) {
    const seen = scanner.scan(text).spans
    found += seen.length
    right += seen.filter(({ start, end }) => spans.some((span) => span.start < end && start < span.end)).length
    for (const { kind, start, end } of spans) {
      const count = wanted.get(kind) ?? { found: 0, all: 0 }
      count.all += 1
      // of a secret a part is enough: it stops the call
      if (seen.some((span) => (span.start <= start && end <= span.end) || (span.level === 3 && span.start < end && start < span.end))) count.found += 1
      wanted.set(kind, count)
    }
  }
  for (const [kind, count] of [...wanted].sort()) if (count.found < count.all) onProgress(`${kind}: ${count.found} of ${count.all}`)
  const total = [...wanted.values()].reduce((sum, { found, all }) => ({ found: sum.found + found, all: sum.all + all }), { found: 0, all: 0 })
  const clean = cases.filter(({ spans }) => spans.length === 0)
  const raised = clean.filter(({ text }) => findings(text).length > 0).length
  return [
    percent(`recall over ${total.all} labelled spans`, total.found / total.all, { atLeast: 90 }),
    percent('precision of what was taken out', right / found, { atLeast: 90 }),
    percent(`labels raised wrongly, ${clean.length} texts without personal data`, raised / clean.length, { atMost: 0.5 }),
  ]
}

function percent(name: string, share: number, target: Figure['target']): Figure {
  return { name, unit: '%', value: share * 100, spread: [share * 100, share * 100], target }
}

function speed(blocks: readonly string[], rounds: number): Figure[] {
  const conversation = createScanner()
  // a gate makes its scanner once, for the rules of its house
  const forgetful = createScanner({ cacheBytes: 0 })
  const redacted = blocks.map((block) => createTextRedactor(forgetful).redact(block))
  const ways: readonly [name: string, atLeast: number, texts: readonly string[], each: (text: string) => unknown][] = [
    ['redacted, as gate local does it', 20, blocks, (text) => createTextRedactor(forgetful).redact(text)],
    ['scanned again, as gate cloud does it', 20, redacted, (text) => leftIn(text, forgetful)],
    ['the same blocks in a next call', 200, blocks, (text) => createTextRedactor(conversation).redact(text)],
    ['all detectors, once over', 20, blocks, findAll],
    ['what raises labels alone', 20, blocks, findings],
  ]
  return ways.map(([name, atLeast, texts, each]) => {
    const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
    const pass = () => {
      const started = process.cpuUsage()
      for (const text of texts) each(text)
      const { user, system } = process.cpuUsage(started)
      return bytes / (user + system)
    }
    // a gate runs for weeks, on code that the engine has made fast long ago
    for (let warming = 0; warming < 20; warming += 1) pass()
    return { name, unit: 'MB/s', ...middle(Array.from({ length: rounds * 4 }, pass)), target: { atLeast } }
  })
}

/** Prose, code and a lock file, and after each kilobyte of them a labelled text. */
function mixedText(cases: readonly LabelledText[]): string {
  const read = (file: string) => readFileSync(new URL(`../${file}`, import.meta.url), 'utf8')
  const files = ['docs/wires.md', 'docs/configuration.md', 'docs/architecture.md', 'src/models/calls.ts', 'src/house/load-house.ts', 'bench/README.md'].map(read)
  // what is hidden by escapes stops a call, and code speaks of it
  const plain = [...files, read('package-lock.json').slice(0, 60_000)].join('\n').replaceAll('\\u', '\\x')
  // those that hold a secret are not redacted but refused; every few of the rest, so that all templates take part
  const labelled = cases.filter(({ text }) => !findings(text).some(({ level }) => level === 3)).filter((_, at) => at % 4 === 0)
  return Array.from({ length: Math.ceil(plain.length / 1_000) }, (_, at) => `${plain.slice(at * 1_000, (at + 1) * 1_000)}\n${labelled[at % labelled.length]!.text}\n`).join('')
}

/** Without those that hold a secret: they are not redacted but refused. */
function blocksOf(text: string): string[] {
  return Array.from({ length: Math.ceil(text.length / blockLength) }, (_, at) => text.slice(at * blockLength, (at + 1) * blockLength))
    .filter((block) => !findings(block).some(({ level }) => level === 3))
}
