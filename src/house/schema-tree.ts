import { z } from 'zod'
import type { Path } from './yaml-source.ts'

type Schema = z.core.$ZodType

/** A schema without what wraps it: defaults, optionals, transforms. `description` and `fallback` are the outermost that were found. */
export function unwrap(schema: Schema): { inner: Schema; description: string | undefined; fallback: unknown; optional: boolean } {
  let inner = schema
  let description: string | undefined
  let fallback: unknown
  let optional = false
  for (;;) {
    description ??= z.globalRegistry.get(inner)?.description
    const { def } = inner._zod as unknown as { def: WrapperDef }
    if (def.type === 'optional') optional = true
    if (def.type === 'prefault' || def.type === 'default') fallback ??= def.defaultValue
    const next = def.type === 'pipe' ? def.in : def.innerType
    if (!next) return { inner, description, fallback, optional }
    inner = next
  }
}

interface WrapperDef {
  readonly type: string
  readonly innerType?: Schema
  readonly in?: Schema
  readonly defaultValue?: unknown
}

/**
 * The schema at a path of the file, or nothing where no schema reaches. Of a union the first branch that knows the path, among those that
 * `written`, what the file says there, can be meant by.
 */
export function schemaAt(schema: Schema, path: Path, written?: unknown): Schema | undefined {
  if (path.length === 0) return schema
  const [part, ...rest] = path
  const below = isObject(written) && Object.hasOwn(written, String(part)) ? written[String(part)] : Array.isArray(written) ? (written as unknown[])[Number(part)] : undefined
  return childrenOf(schema, String(part), written).map((child) => schemaAt(child, rest, below)).find((found) => found !== undefined)
}

function childrenOf(schema: Schema, part: string, written?: unknown): Schema[] {
  const { inner } = unwrap(schema)
  if (inner instanceof z.ZodObject) return Object.hasOwn(inner.shape, part) ? [inner.shape[part] as Schema] : []
  if (inner instanceof z.ZodRecord) return [inner.valueType as Schema]
  if (inner instanceof z.ZodArray) return [inner.element as Schema]
  if (inner instanceof z.ZodUnion) {
    const meant = inner.options.filter((option) => mayMean(option as Schema, written))
    return (meant.length > 0 ? meant : inner.options).flatMap((option) => childrenOf(option as Schema, part, written))
  }
  return []
}

/** Does what is written contradict a word by which this branch is told from others? */
function mayMean(option: Schema, written: unknown): boolean {
  const { inner } = unwrap(option)
  if (!(inner instanceof z.ZodObject) || !isObject(written)) return true
  return Object.entries(inner.shape as Record<string, Schema>).every(([key, child]) => {
    const { inner: literal, fallback } = unwrap(child)
    return !(literal instanceof z.ZodLiteral) || literal.values.has((Object.hasOwn(written, key) ? written[key] : fallback) as string)
  })
}

/** The keys that an object at this schema may have. */
export function keysOf(schema: Schema): string[] {
  const { inner } = unwrap(schema)
  if (inner instanceof z.ZodObject) return Object.keys(inner.shape)
  if (inner instanceof z.ZodUnion) return inner.options.flatMap((option) => keysOf(option as Schema))
  return []
}

/** The values that tell the branches of a union apart. */
export function branchValues(schema: Schema, key: string): string[] {
  const { inner } = unwrap(schema)
  if (!(inner instanceof z.ZodUnion)) return []
  return inner.options.flatMap((option) => childrenOf(option as Schema, key)).flatMap((child) => {
    const { inner: literal } = unwrap(child)
    return literal instanceof z.ZodLiteral ? [...literal.values].map(String) : []
  })
}

/** The default as one would write it in the file, with the defaults of everything below; undefined where there is none. */
export function writtenDefault(schema: Schema): unknown {
  const { inner, fallback } = unwrap(schema)
  if (fallback === null || typeof fallback !== 'object' || Array.isArray(fallback)) return fallback
  return filled(inner, fallback as Record<string, unknown>)
}

function filled(schema: Schema, given: Record<string, unknown>): Record<string, unknown> {
  const { inner } = unwrap(schema)
  if (inner instanceof z.ZodRecord) {
    return mapValues(given, (value) => (isObject(value) ? filled(inner.valueType as Schema, value) : value))
  }
  if (inner instanceof z.ZodUnion) {
    const meant = inner.options.find((option) => z.safeParse(option, given).success)
    return meant ? filled(meant as Schema, given) : given
  }
  if (!(inner instanceof z.ZodObject)) return given
  const shape = inner.shape as Record<string, Schema>
  return Object.fromEntries(
    Object.entries(shape)
      .map(([key, child]) => [key, Object.hasOwn(given, key) ? given[key] : writtenDefault(child)] as const)
      .filter(([, value]) => value !== undefined),
  )
}

function mapValues<T>(given: Record<string, T>, change: (value: T) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(given).map(([key, value]) => [key, change(value)]))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
