import { contentWords, sentencesOf } from './sentences.ts'

export interface SourceDocument {
  readonly title: string
  readonly text: string
}

export interface Point {
  readonly text: string
  /** The title of the document that it stands in. */
  readonly source: string
}

export interface Summary {
  readonly text: string
  readonly points: readonly Point[]
}

const mostSentences = 2_000

/**
 * The sentences that say most of what the documents are about, word for word and with their source. Nothing is rephrased:
 * a word counts by how often and in how many documents it occurs, a sentence also by where it stands, and what was said is not said again.
 */
export function summarizeDocuments(documents: readonly SourceDocument[], wanted: number): Summary {
  const candidates = documents.flatMap(({ title, text }, document) => {
    const all = sentencesOf(text)
    return all.map((sentence, at) => ({ sentence, title, document, at, of: all.length, words: contentWords(sentence) }))
  }).filter((candidate) => candidate.words.length > 0).slice(0, mostSentences)

  const weight = new Map<string, number>()
  const documentsOf = new Map<string, Set<number>>()
  for (const { words, document } of candidates) {
    for (const word of new Set(words)) {
      weight.set(word, (weight.get(word) ?? 0) + 1)
      documentsOf.set(word, (documentsOf.get(word) ?? new Set()).add(document))
    }
  }
  for (const [word, count] of weight) weight.set(word, Math.log1p(count) * (1 + Math.log1p(documentsOf.get(word)!.size - 1)))

  const said = new Map<string, number>()
  const taken = new Map<number, number>()
  const chosen: (typeof candidates)[number][] = []
  const left = new Set(candidates)
  while (chosen.length < wanted && left.size > 0) {
    let best: (typeof candidates)[number] | undefined
    let bestScore = -1
    for (const candidate of left) {
      const score = scoreOf(candidate, weight, said) / (1 + (taken.get(candidate.document) ?? 0))
      if (score > bestScore) [best, bestScore] = [candidate, score]
    }
    left.delete(best!)
    if (chosen.some((other) => other.sentence === best!.sentence)) continue
    chosen.push(best!)
    taken.set(best!.document, (taken.get(best!.document) ?? 0) + 1)
    for (const word of best!.words) said.set(word, (said.get(word) ?? 0) + 1)
  }

  const points = chosen.sort((a, b) => a.document - b.document || a.at - b.at).map(({ sentence, title }) => ({ text: sentence, source: title }))
  return { text: points.map((point) => `- ${point.text} (${point.source})`).join('\n'), points }
}

function scoreOf({ words, at, of }: { words: readonly string[]; at: number; of: number }, weight: ReadonlyMap<string, number>, said: ReadonlyMap<string, number>): number {
  const content = [...new Set(words)].reduce((sum, word) => sum + weight.get(word)! / (1 + 2 * (said.get(word) ?? 0)), 0)
  // the first sentences of a text tell what it is about, the last what is asked
  const position = at === 0 ? 1.5 : at < 3 ? 1.2 : at === of - 1 ? 1.1 : 1
  return (content / Math.sqrt(words.length + 3)) * position
}
