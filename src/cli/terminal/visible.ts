/**
 * Characters that a terminal obeys, or that make text look like other text: C0 and C1 controls without tab and line feed,
 * direction overrides and isolates, invisible spaces and joiners of nothing, tag characters. A stranger's subject must not
 * move the cursor, and what is shown for signing must be what is there.
 */
const deceptive = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u00AD\u061C\u115F\u1160\u17B4\u17B5\u180E\u200B\u200E\u200F\u2028\u2029\u202A-\u202E\u2060-\u206F\u3164\uFEFF\uFFA0\uFFF9-\uFFFB\u{E0000}-\u{E0FFF}]/gu

/** The text with every such character spelled out, e.g. `\u{202E}`. */
export function visibleText(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(deceptive, (character) => `\\u{${character.codePointAt(0)!.toString(16).toUpperCase()}}`)
}

/** A value with all its texts made visible, keys too. */
export function visible<T>(value: T): T {
  if (typeof value === 'string') return visibleText(value) as T
  if (Array.isArray(value)) return value.map(visible) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [visibleText(key), visible(inner)])) as T
}

/** JSON text in which such characters are escaped, so that it is the same value and does nothing to a terminal. */
export function visibleJson(value: unknown): string {
  return JSON.stringify(value, undefined, 2).replace(deceptive, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''))
}
