import { parseInline, type Inline } from './inline.ts'

/** The Markdown that briefs are written in, as a tree. There is no node for HTML, links or pictures: a brief quotes strangers. */
export type Block =
  | { kind: 'heading'; level: number; text: Inline[] }
  | { kind: 'paragraph' | 'quote'; text: Inline[] }
  | { kind: 'list'; ordered: boolean; items: Item[] }
  | { kind: 'code'; text: string }
  | { kind: 'rule' }

export interface Item {
  text: Inline[]
  children: Item[]
}

const fence = /^ {0,3}(```+|~~~+)/
const heading = /^ {0,3}(#{1,6})\s+(.*?)\s*#*$/
const rule = /^ {0,3}([-*_])(\s*\1){2,}\s*$/
const item = /^(\s*)(?:[-*+]|(\d{1,9})[.)])\s+(.*)$/
const quote = /^ {0,3}> ?(.*)$/

/** Reads the text line by line; whatever it does not know stays as it stands. */
export function parseMarkdown(text: string): Block[] {
  const lines = text.replaceAll('\r\n', '\n').split('\n')
  const blocks: Block[] = []
  let at = 0
  /** The lines from here on that fit. */
  const take = (fits: (line: string) => boolean): string[] => {
    const from = at
    while (at < lines.length && fits(lines[at]!)) at++
    return lines.slice(from, at)
  }
  while (at < lines.length) {
    const line = lines[at]!
    const head = heading.exec(line)
    if (line.trim() === '') at++
    else if (fence.test(line)) {
      const mark = fence.exec(line)![1]!
      at++
      blocks.push({ kind: 'code', text: take((one) => !one.trimStart().startsWith(mark)).join('\n') })
      at++
    } else if (head) {
      blocks.push({ kind: 'heading', level: head[1]!.length, text: parseInline(head[2]!) })
      at++
    } else if (rule.test(line)) {
      blocks.push({ kind: 'rule' })
      at++
    } else if (quote.test(line)) {
      blocks.push({ kind: 'quote', text: parseInline(take((one) => quote.test(one)).map((one) => quote.exec(one)![1]!).join('\n')) })
    } else if (item.test(line)) {
      const ordered = item.exec(line)![2] !== undefined
      blocks.push({ kind: 'list', ordered, items: nest(take((one) => item.test(one) || /^\s+\S/.test(one) || (one.trim() === '' && goesOn(lines, at)))) })
    } else {
      blocks.push({ kind: 'paragraph', text: parseInline(take((one) => one.trim() !== '' && !startsBlock(one)).join('\n')) })
    }
  }
  return blocks
}

function startsBlock(line: string): boolean {
  return [fence, heading, rule, quote, item].some((pattern) => pattern.test(line))
}

/** An empty line between two items does not end their list. */
function goesOn(lines: readonly string[], at: number): boolean {
  return item.test(lines[at + 1] ?? '')
}

/** Items by their indentation; a line without a mark goes on with the item above it. */
function nest(lines: readonly string[]): Item[] {
  const top: Item[] = []
  const open: { indent: number; item: Item; raw: string }[] = []
  for (const line of lines) {
    const found = item.exec(line)
    if (line.trim() === '') continue
    if (found === null) {
      const last = open.at(-1)!
      last.raw += `\n${line.trim()}`
      last.item.text = parseInline(last.raw)
      continue
    }
    const indent = found[1]!.length
    while (open.length > 0 && open.at(-1)!.indent >= indent) open.pop()
    const made: Item = { text: parseInline(found[3]!), children: [] }
    ;(open.at(-1)?.item.children ?? top).push(made)
    open.push({ indent, item: made, raw: found[3]! })
  }
  return top
}
