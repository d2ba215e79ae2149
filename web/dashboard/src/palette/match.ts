export interface Entry {
  readonly id: string
  readonly name: string
  readonly about: string
}

/** The entries that hold every word of what was typed, those whose name begins with it first; otherwise their order stays. */
export function matching<T extends Entry>(entries: readonly T[], typed: string): T[] {
  const words = typed.toLowerCase().split(/\s+/).filter((word) => word !== '')
  if (words.length === 0) return [...entries]
  return entries
    .map((entry) => ({ entry, rank: rankOf(entry, words) }))
    .filter(({ rank }) => rank < nowhere)
    .sort((a, b) => a.rank - b.rank)
    .map(({ entry }) => entry)
}

const nowhere = 4

/** The worst of its words: 0 begins the name, 1 begins a word of it, 2 is in it, 3 is in what stands beside it. */
function rankOf({ name, about }: Entry, words: readonly string[]): number {
  return Math.max(...words.map((word) => {
    const at = name.toLowerCase().indexOf(word)
    if (at === 0) return 0
    if (at > 0) return /[\s\-_.]/.test(name[at - 1]!) ? 1 : 2
    return about.toLowerCase().includes(word) ? 3 : nowhere
  }))
}
