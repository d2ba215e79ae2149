/** A piece of text that shows as it is, or a character that would not. */
export type Piece = { readonly text: string } | { readonly code: string; readonly name: string }

/**
 * Characters that are not seen, or that make text look like other text: controls without tab and line feed, what Unicode calls
 * default ignorable (direction marks, joiners, fillers, variation selectors, tags), separators, and every space but the usual one.
 */
const deceptive = /[[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Zl}\p{Zp}\p{Zs}\u2800\uFFF9-\uFFFB]--[\t\n ]]/gv

const names: readonly (readonly [RegExp, string])[] = [
  [/\p{Bidi_Control}/v, 'turns the direction of the text'],
  [/[\p{Zs}\u2800]/v, 'a space of another kind'],
  [/[\p{Variation_Selector}\u{E0000}-\u{E0FFF}]/v, 'invisible, can carry hidden text'],
  [/\p{Default_Ignorable_Code_Point}/v, 'invisible'],
]

/** Cuts a text where something invisible stands, and says what it is. */
export function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = []
  let from = 0
  for (const { 0: character, index } of text.matchAll(deceptive)) {
    if (isPartOfEmoji(text, character, index)) continue
    if (index > from) pieces.push({ text: text.slice(from, index) })
    pieces.push({ code: `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`, name: names.find(([set]) => set.test(character))?.[1] ?? 'a control character' })
    from = index + character.length
  }
  if (from < text.length) pieces.push({ text: text.slice(from) })
  return pieces
}

/** Between two pictographs a joiner makes one of them, and after one a selector says that it has colours: neither hides anything. */
function isPartOfEmoji(text: string, character: string, index: number): boolean {
  const before = text.slice(Math.max(0, index - 3), index)
  if (character === '\uFE0F') return /\p{Emoji}$/v.test(before)
  return character === '\u200D' && /[\p{Extended_Pictographic}\p{Emoji_Modifier}]\uFE0F?$/v.test(before) && /^\p{Extended_Pictographic}/v.test(text.slice(index + 1, index + 3))
}
