/** Keywords of Gemini's own schema that JSON schema has too, and by the same name. Its numbers may be written as text. */
const same = ['title', 'description', 'enum', 'required', 'default', 'minimum', 'maximum', 'pattern']
const counts = ['minItems', 'maxItems', 'minLength', 'maxLength', 'minProperties', 'maxProperties']

/** Gemini's schema (a part of OpenAPI 3.0, with types in capitals and `nullable`) as JSON schema, for models of others. Deeper than `depth`, anything may stand. */
export function toJsonSchema(value: unknown, depth = 32): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || depth === 0) return {}
  const given = new Map(Object.entries(value).map(([name, field]) => [name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()), field as unknown]))
  const schema: Record<string, unknown> = {}
  const type = typeOf(given.get('type'))
  if (type !== undefined) schema['type'] = given.get('nullable') === true ? [type, 'null'] : type
  for (const name of same) if (given.has(name)) schema[name] = given.get(name)
  for (const name of counts) if (given.has(name)) schema[name] = Number(given.get(name))
  if (given.has('items')) schema['items'] = toJsonSchema(given.get('items'), depth - 1)
  const [anyOf, properties] = [given.get('anyOf'), given.get('properties')]
  if (Array.isArray(anyOf)) schema['anyOf'] = anyOf.map((one) => toJsonSchema(one, depth - 1))
  if (typeof properties === 'object' && properties !== null) {
    schema['properties'] = Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, toJsonSchema(property, depth - 1)]))
  }
  return schema
}

function typeOf(type: unknown): string | undefined {
  return typeof type === 'string' && type !== 'TYPE_UNSPECIFIED' ? type.toLowerCase() : undefined
}
