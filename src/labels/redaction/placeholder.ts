import { Fault } from '../../kernel/fault.ts'
import type { Finding } from '../detectors/detect.ts'
import { matchesOf } from '../detectors/matches.ts'
import { dictionaryKinds } from '../dictionary/dictionary.ts'

/** The form of what stands for a value. One that a text brings along is taken out as a value, so that restoring invents nothing. */
export const placeholder = /\[\[[A-Z]{1,20}(?:_[A-Z]{1,20}){0,3}_\d{1,6}\]\]/g
/** What could become one with the next piece. */
export const begunPlaceholder = /\[(?:\[[A-Z_\d]{0,90}\]?)?$/

/** `[[MAIL_ADDRESS_1]]` @throws Fault when a kind is not among those that are taken out, which is a defect of a new detector */
export function placeholderFor(kind: string, ordinal: number): string {
  if (!words.has(wordOf(kind))) throw new Fault('internal', 'redaction.kind', `nothing of the kind ${kind} is taken out; add it to the kinds of placeholders`)
  return `[[${wordOf(kind)}_${ordinal}]]`
}

/** The word in a placeholder: kinds that share it share their ordinals. */
export function wordOf(kind: string): string {
  return kind.toUpperCase().replace(/[^A-Z]+/g, '_')
}

export const placeholderKind = 'text'

/** All that is ever taken out. A placeholder with another word is nobody's, and may be a word of the text in disguise. */
const takenOut = [
  placeholderKind, ...dictionaryKinds, 'mail address', 'phone number', 'IP address', 'MAC address', 'date of birth', 'IBAN', 'payment card', 'German tax id', 'German insurance number',
  'German identity card', 'Austrian insurance number', 'Swiss insurance number', 'French insurance number', 'British insurance number', 'NHS number', 'US social security number',
  'US taxpayer number', 'Australian tax number', 'Australian Medicare number',
]
const words = new Set(takenOut.map(wordOf))

/** Could it be one of ours? */
export function isOurs(found: string): boolean {
  return words.has(found.slice(2, found.lastIndexOf('_')))
}

export function placeholdersIn(text: string): Finding[] {
  if (!text.includes('[[')) return []
  return [...matchesOf(placeholder, text)].map((match): Finding => ({ kind: placeholderKind, level: 1, start: match.index, end: match.index + match[0].length }))
}
