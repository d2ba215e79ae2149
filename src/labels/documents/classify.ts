import { createPhraseFinder } from '../dictionary/phrases.ts'
import { terms, type DocumentClass } from './terms.ts'

/** What kind of document a text is, and the words that say so. */
export interface Classified {
  readonly class: DocumentClass
  readonly score: number
  readonly because: readonly string[]
}

const { find } = createPhraseFinder(
  Object.entries(terms).flatMap(([name, weighted]) => Object.entries(weighted).flatMap(([weight, words]) =>
    words.map((word) => ({ value: { class: name as DocumentClass, weight: Number(weight), word }, words: word })))),
)

/** A text is of a class from so many points on, of at least so many different words: one strong word alone is no document. */
const enough = 6
const differentWords = 3

/** The classes of a text, the clearest first. Each word counts once, however often it stands there. */
export function classify(text: string): Classified[] {
  const seen = new Map<DocumentClass, Map<string, number>>()
  for (const { value } of find(text)) {
    const words = seen.get(value.class) ?? new Map<string, number>()
    seen.set(value.class, words.set(value.word, value.weight))
  }
  return [...seen]
    .map(([name, words]): Classified => ({ class: name, score: [...words.values()].reduce((sum, weight) => sum + weight, 0), because: [...words.keys()] }))
    .filter(({ score, because }) => score >= enough && because.length >= differentWords)
    .sort((a, b) => b.score - a.score)
}
