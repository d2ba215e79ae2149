import { Fault } from '../kernel/fault.ts'
import type { Label, Level } from './label.ts'

const words = ['public', 'low', 'internal', 'local only'] as const

/** `P2 internal`: interfaces always show the word with the level. */
export function describeLevel(level: Level): string {
  return `P${level} ${words[level]}`
}

/** `P2 internal, untrusted, lanes private + work`. */
export function describeLabel(label: Label): string {
  const lanes = label.lanes.length === 0 ? '' : `, lane${label.lanes.length > 1 ? 's' : ''} ${label.lanes.join(' + ')}`
  return `${describeLevel(label.level)}, ${label.integrity}${lanes}`
}

/** The level that `P2`, `p2`, `P2 internal` or `internal` names. */
export function parseLevel(text: string): Level {
  const wanted = text.trim().toLowerCase()
  const found = words.findIndex((word, level) => [`p${level}`, word, `p${level} ${word}`].includes(wanted))
  if (found === -1) {
    throw new Fault('invalid', 'label.level', `${JSON.stringify(text)} is not a level; the levels are ${words.map((_, level) => describeLevel(level as Level)).join(', ')}`)
  }
  return found as Level
}
