/**
 * The value as PostgreSQL can keep it in jsonb: text without NUL and without halves of surrogate pairs, numbers that are finite.
 * A stranger's mail with one of them would otherwise make a step fail for ever.
 */
export function storable(value: unknown): unknown {
  if (typeof value === 'string') return storableText(value)
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(storable)
  if (value instanceof Date) return value.toISOString()
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [storableText(key), storable(inner)]))
}

/** Text that PostgreSQL keeps: NUL and lone surrogates become U+FFFD. */
export function storableText(text: string): string {
  return text.toWellFormed().replaceAll('\u0000', '\uFFFD')
}
