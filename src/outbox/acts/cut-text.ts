/** As much of a text as has so many UTF-16 units at most, without half of a character at its end: a database takes none, and a page shows it as something else. */
export function cutText(text: string, most: number): string {
  const cut = text.slice(0, most)
  return text.length > most ? cut.replace(/[\ud800-\udbff]$/, '') : cut
}
