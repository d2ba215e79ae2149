import { stripVTControlCharacters } from 'node:util'
import Table from 'cli-table3'
import type { Terminal } from './terminal.ts'

const gap = 2
const longestWord = 48
/** Characters that take two cells. */
const wide = /[\u1100-\u115F\u2E80-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF01-\uFF60\u{1F300}-\u{1FAFF}\u{20000}-\u{3FFFD}]/gu

/** Columns under their names, without lines. On a terminal the widest columns wrap until it fits; elsewhere a row is a line. */
export function table(terminal: Terminal, head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = terminal.tty ? rows : rows.map((row) => row.map((cell) => cell.replaceAll('\n', ' ')))
  const widths = fit(head.map((name, column) => [name, ...cells.map((row) => row[column] ?? '')]), terminal.columns)
  const drawn = new Table({
    head: head.map((name) => terminal.paint('dim', name)),
    ...(widths && { colWidths: widths.map((width) => width + gap) }),
    wordWrap: true,
    wrapOnWordBoundary: true,
    chars: noLines,
    style: { 'padding-left': 0, 'padding-right': gap, head: [], border: [] },
  })
  drawn.push(...cells.map((row) => [...row]))
  return drawn.toString().split('\n').map((line) => line.trimEnd()).join('\n')
}

/** Names and values, one pair a line. */
export function pairs(terminal: Terminal, rows: readonly (readonly [string, string])[]): string {
  const widest = Math.max(...rows.map(([name]) => name.length))
  return rows
    .map(([name, value]) => `${terminal.paint('dim', name.padEnd(widest))}  ${value.replaceAll('\n', `\n${' '.repeat(widest + 2)}`)}`)
    .join('\n')
}

function width(cell: string): number {
  return Math.max(...stripVTControlCharacters(cell).split('\n').map((line) => line.length + (line.match(wide)?.length ?? 0)))
}

/** The width of each column so that all fit; undefined when they do by themselves. Words stay whole up to a length: half an address deceives. */
function fit(columns: readonly (readonly string[])[], most: number): number[] | undefined {
  const widths = columns.map((cells) => Math.max(...cells.map(width)))
  const narrowest = columns.map((cells) => Math.min(longestWord, Math.max(...cells.map((cell) => width(cell.replaceAll(/\s+/g, '\n'))))))
  const slack = () => widths.map((width, column) => width - narrowest[column]!)
  const total = () => widths.reduce((sum, width) => sum + width + gap, -gap)
  if (total() <= most) return undefined
  while (total() > most) {
    const slacks = slack()
    const widest = slacks.indexOf(Math.max(...slacks))
    if (slacks[widest]! <= 0) break
    widths[widest]! -= 1
  }
  return widths
}

const noLines = {
  top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '',
  left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '',
}
