/** A word without what writers are free in: case, compatibility forms, ß for ss, ae for ä, and marks on letters. */
export function fold(word: string): string {
  if (/^[\0-\x7F]*$/.test(word)) return word.toLowerCase()
  const lower = word.normalize('NFKC').toLowerCase().replaceAll('ß', 'ss')
  return bare(lower.replaceAll(/[äöüæøœ]/g, (letter) => spelled[letter]!))
}

const spelled: Readonly<Record<string, string>> = { ä: 'ae', ö: 'oe', ü: 'ue', æ: 'ae', ø: 'oe', œ: 'oe' }

function bare(word: string): string {
  return word.normalize('NFD').replaceAll(/\p{M}/gu, '')
}

/** The ways in which a phrase may be written, each as its folded words: with umlauts spelled out, and with the bare vowel. */
export function formsOf(phrase: string): string[][] {
  const words = phrase.normalize('NFKC').match(/[\p{L}\p{N}][\p{L}\p{N}\p{M}]*/gu) ?? []
  const spelledOut = words.map(fold)
  const plain = words.map((word) => bare(word.toLowerCase().replaceAll('ß', 'ss').replaceAll('ø', 'o').replaceAll(/[æœ]/g, (letter) => spelled[letter]!)))
  return spelledOut.join(' ') === plain.join(' ') ? [spelledOut] : [spelledOut, plain]
}
