/** The known word that was probably meant, or nothing: at most a third of its letters, rounded up, differ (Damerau-Levenshtein). */
export function nearest(word: string, known: readonly string[]): string | undefined {
  let best: { candidate: string; distance: number } | undefined
  for (const candidate of known) {
    const distance = editDistance(word.slice(0, 100).toLowerCase(), candidate.toLowerCase())
    if (distance <= Math.ceil(candidate.length / 3) && (!best || distance < best.distance)) best = { candidate, distance }
  }
  return best?.candidate
}

/** `did you mean x?`, or the words there are. */
export function didYouMean(word: string, known: readonly string[]): string {
  const near = nearest(word, known)
  if (near !== undefined) return `did you mean ${near}?`
  return known.length === 0 ? 'there are none yet' : `there ${known.length === 1 ? 'is' : 'are'} ${known.slice(0, 40).join(', ')}`
}

function editDistance(a: string, b: string): number {
  let before: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      current[j] = Math.min(current[j - 1]! + 1, previous[j]! + 1, previous[j - 1]! + cost)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) current[j] = Math.min(current[j]!, before[j - 2]! + 1)
    }
    before = previous
    previous = current
  }
  return previous[b.length]!
}
