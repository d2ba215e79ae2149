/** Filters for what Liquid has no words for. */
export const ownFilters = {
  /** `items | lookup: messages, "id"`: for each item the message with the same id; items without one are left out. */
  lookup(items: unknown, others: unknown, key: unknown): unknown[] {
    const found = new Map(listOf(others).map((other) => [field(other, key), other]))
    return listOf(items).flatMap((item) => (found.has(field(item, key)) ? [found.get(field(item, key))] : []))
  },

  /** `messages | documents: "subject", "text"`: what text.summarize and model.ask take. */
  documents(items: unknown, title: unknown, text: unknown): { title: string; text: string }[] {
    return listOf(items).map((item) => ({ title: textOf(field(item, title)).slice(0, 500).toWellFormed(), text: textOf(field(item, text)).slice(0, 200_000).toWellFormed() }))
  },

  /** `subject | plain`: a stranger's words on one line of a Markdown page, without markup, links, images or invisible characters. */
  plain(text: unknown): string {
    return textOf(text)
      .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
      .replace(/\p{Cf}/gu, '')
      .replaceAll('<', '‹')
      .replaceAll('>', '›')
      .replaceAll('`', "'")
      .replaceAll('](', '] (')
      .trim()
  },
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

function field(item: unknown, key: unknown): unknown {
  return typeof item === 'object' && item !== null && Object.hasOwn(item, String(key)) ? (item as Record<string, unknown>)[String(key)] : undefined
}

function textOf(value: unknown): string {
  return value === undefined || value === null ? '' : String(value)
}
