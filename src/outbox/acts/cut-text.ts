/** As much of a text as has so many UTF-16 units at most, without half of a character at its end: a database takes none, and a page shows it as something else. */
export function cutText(text: string, most: number): string {
  const cut = text.slice(0, most)
  return text.length > most ? cut.replace(/[\ud800-\udbff]$/, '') : cut
}

/** Somebody's words on one line, without characters that show as something else. */
export function oneLine(text: string, most: number): string {
  return cutText(text.toWellFormed().replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim(), most)
}
