/** The form of a value that was read from JSON. */
export type Shape = 'string' | 'number' | 'text or null' | 'number or null' | { readonly list: Shape } | { readonly fields: Readonly<Record<string, Shape>> }

/** Has it this form, with these fields and no others? Needs nothing but the language: it runs in the browser of whoever signs too. */
export function fits(value: unknown, shape: Shape): boolean {
  if (shape === 'text or null') return value === null || typeof value === 'string'
  if (shape === 'number or null') return value === null || typeof value === 'number'
  if (typeof shape === 'string') return typeof value === shape
  if (typeof value !== 'object' || value === null) return false
  if ('list' in shape) return Array.isArray(value) && value.every((one) => fits(one, shape.list))
  const given = value as Readonly<Record<string, unknown>>
  return !Array.isArray(value) && Object.keys(given).length === Object.keys(shape.fields).length
    && Object.entries(shape.fields).every(([name, inner]) => Object.hasOwn(given, name) && fits(given[name], inner))
}
