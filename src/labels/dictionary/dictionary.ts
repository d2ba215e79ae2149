import type { Finding } from '../detectors/detect.ts'
import { createPhraseFinder } from './phrases.ts'

export const dictionaryKinds = ['name', 'client', 'project', 'term'] as const

/** What the operator calls by a word that no outsider is to read. */
export interface DictionaryEntry {
  readonly kind: (typeof dictionaryKinds)[number]
  /** The word or words, and others for the same. */
  readonly words: readonly string[]
}

/** Finds the operator's own words. They say nothing of a text's level, and are taken out before it is handed on. */
export interface Dictionary {
  find(text: string): Finding[]
}

export function createDictionary(entries: readonly DictionaryEntry[]): Dictionary {
  const { find } = createPhraseFinder(entries.flatMap(({ kind, words }) => words.map((phrase) => ({ value: kind, words: phrase }))))
  return { find: (text) => find(text).map(({ value, start, end }): Finding => ({ kind: value, level: 1, start, end })) }
}
