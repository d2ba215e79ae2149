/** A piece of text that shows as it is, or a character that would not. */
export type Piece = { readonly text: string } | { readonly code: string; readonly name: string }

const names: readonly (readonly [RegExp, string])[] = [
  [/[\u202A-\u202E\u2066-\u2069\u061C\u200E\u200F]/u, 'turns the direction of the text'],
  [/[\u00A0\u2000-\u200A\u202F\u205F\u3000]/u, 'a space of another kind'],
  [/[\u200B-\u200D\u2060-\u2064\uFEFF\u00AD\u{34F}\u115F\u1160\u17B4\u17B5\u{180B}-\u{180F}\u3164\uFFA0]/u, 'invisible'],
  [/[\u{E0000}-\u{E0FFF}\u{FE00}-\u{FE0E}]/u, 'invisible, can carry hidden text'],
]

/**
 * Characters that are not seen, or that make text look like other text: C0 and C1 controls without tab and line feed, direction
 * marks and overrides, spaces of other kinds, joiners, fillers, variation selectors without the one of emoji, tags.
 */
const deceptive = /[\u0000-\u0008\u000B-\u001F\u007F-\u00A0\u00AD\u{34F}\u061C\u115F\u1160\u17B4\u17B5\u{180B}-\u{180F}\u2000-\u200F\u2028-\u202F\u205F-\u206F\u3000\u3164\u{FE00}-\u{FE0E}\uFEFF\uFFA0\uFFF9-\uFFFB\u{E0000}-\u{E0FFF}]/gu

/** Cuts a text where something invisible stands, and says what it is. */
export function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = []
  let from = 0
  for (const { 0: character, index } of text.matchAll(deceptive)) {
    if (joinsEmoji(text, character, index)) continue
    if (index > from) pieces.push({ text: text.slice(from, index) })
    pieces.push({ code: `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`, name: names.find(([set]) => set.test(character))?.[1] ?? 'a control character' })
    from = index + character.length
  }
  if (from < text.length) pieces.push({ text: text.slice(from) })
  return pieces
}

/** Between two pictographs a zero-width joiner makes one of them, and hides nothing. */
function joinsEmoji(text: string, character: string, index: number): boolean {
  return character === '\u200D' && /[\p{Extended_Pictographic}\p{Emoji_Modifier}\uFE0F]$/u.test(text.slice(Math.max(0, index - 2), index)) && /^\p{Extended_Pictographic}/u.test(text.slice(index + 1, index + 3))
}
