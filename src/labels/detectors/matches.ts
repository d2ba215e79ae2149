/** Every match of a pattern with the flag `g`, none of them empty. `matchAll` would make a copy of the pattern first, which takes longer than to look through a paragraph. */
export function matchesOf(pattern: RegExp, text: string): readonly RegExpExecArray[] {
  pattern.lastIndex = 0
  let match = pattern.exec(text)
  if (match === null) return none
  const found: RegExpExecArray[] = []
  for (; match !== null; match = pattern.exec(text)) found.push(match)
  return found
}

const none: readonly RegExpExecArray[] = []
