import type { Finding } from '../detectors/detect.ts'
import { matchesOf } from '../detectors/matches.ts'

/** The form of what stands for a value. One that a text brings along is taken out as a value, so that restoring invents nothing. */
export const placeholder = /\[\[[A-Z]{1,20}(?:_[A-Z]{1,20}){0,3}_\d{1,6}\]\]/g
/** What could become one with the next piece. */
export const begunPlaceholder = /\[(?:\[[A-Z_\d]{0,90}\]?)?$/

/** `[[MAIL_ADDRESS_1]]` */
export function placeholderFor(kind: string, ordinal: number): string {
  return `[[${wordOf(kind)}_${ordinal}]]`
}

/** The word in a placeholder: kinds that share it share their ordinals. */
export function wordOf(kind: string): string {
  return kind.toUpperCase().replace(/[^A-Z]+/g, '_')
}

export const placeholderKind = 'text'

export function placeholdersIn(text: string): Finding[] {
  if (!text.includes('[[')) return []
  return [...matchesOf(placeholder, text)].map((match): Finding => ({ kind: placeholderKind, level: 1, start: match.index, end: match.index + match[0].length }))
}
