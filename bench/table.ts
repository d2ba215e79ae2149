import Table from 'cli-table3'
import { isMet, ratioOf, type Figure } from './figure.ts'

const columns = ['figure', 'Castellan', 'peer', 'ratio', 'target', ''] as const

function row(figure: Figure): string[] {
  const { name, unit, value, spread, peer, target } = figure
  const ratio = ratioOf(figure)
  const targetText = 'ratio' in target ? `≥ ${target.ratio} ×` : 'atMost' in target ? `≤ ${shown(target.atMost)} ${unit}` : `≥ ${shown(target.atLeast)} ${unit}`
  return [
    name,
    `${shown(value)} ${unit} (${spread.map(shown).join('–')})`,
    peer === undefined ? '' : `${peer.name} ${shown(peer.value)} (${peer.spread.map(shown).join('–')})`,
    ratio === undefined ? '' : `${ratio.toFixed(2)} ×`,
    targetText,
    isMet(figure) ? 'ok' : 'missed',
  ]
}

function shown(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(value >= 10 ? 1 : 2)
}

/** For a terminal. */
export function terminalTable(figures: readonly Figure[]): string {
  const table = new Table({ head: [...columns], style: { head: [], border: [] } })
  table.push(...figures.map(row))
  return table.toString()
}

/** For bench/README.md. */
export function markdownTable(figures: readonly Figure[]): string {
  const lines = [[...columns], columns.map(() => '---'), ...figures.map(row)]
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
