import { randomUUID } from 'node:crypto'

/** The way to one value in JSON; of a list or an object also the way to the whole. */
export type Leaf = readonly (string | number)[]

/** Every value, and every list and object as a whole. */
export function leavesOf(value: unknown, path: Leaf = []): Leaf[] {
  if (value === null || typeof value !== 'object') return [path]
  const inside = Array.isArray(value) ? value.map((item, index) => leavesOf(item, [...path, index])) : Object.entries(value).map(([key, item]) => leavesOf(item, [...path, key]))
  return [path, ...inside.flat()]
}

/** The same with that one place changed, in every way that its kind allows: another value, one more in it, and gone. */
export function otherJson(whole: unknown, leaf: Leaf): unknown[] {
  const change = (value: unknown, [key, ...rest]: Leaf, to: (old: unknown) => unknown): unknown => {
    if (key === undefined) return to(value)
    if (Array.isArray(value)) return value.flatMap((item, index) => (index === key ? kept(change(item, rest, to)) : [item]))
    return Object.fromEntries(Object.entries(value as object).flatMap(([name, item]) => (name === key ? kept(change(item, rest, to)).map((one) => [name, one]) : [[name, item]])))
  }
  const others: ((old: unknown) => unknown)[] = leaf.length === 0 ? [] : [() => undefined]
  return [...others, ...othersOf(leaf.reduce((value, key) => (value as Record<string, unknown>)[key], whole)).map((other) => () => other)].map((to) => change(whole, leaf, to))
}

const kept = (value: unknown): unknown[] => (value === undefined ? [] : [value])

function othersOf(value: unknown): unknown[] {
  if (value === null) return [randomUUID()]
  if (typeof value === 'number') return [value + 1, value - 1]
  if (typeof value === 'boolean') return [!value]
  if (Array.isArray(value)) return [[...value, 'more']]
  if (typeof value === 'object') return [{ ...value, more: 1 }]
  return otherTexts(String(value))
}

/** Of the same form where it has one, so that it is not the form that gives it away. */
function otherTexts(text: string): string[] {
  if (/^\d{4}-\d\d-\d\dT/.test(text)) return [-1, 1].map((seconds) => new Date(Date.parse(text) + seconds * 1_000).toISOString())
  if (/^[0-9a-f]{8}-/.test(text)) return [randomUUID()]
  if (text === '') return ['x']
  // the first character has all its bits in what base64 means by it
  return [`${text[0] === 'a' ? 'b' : 'a'}${text.slice(1)}`, `${text}a`]
}

/** What else a column of that type can hold; null where it holds something. */
export function otherValue(type: string, value: unknown): unknown[] {
  if (type === 'uuid') return [randomUUID()]
  if (type === 'smallint') return [Number(value) + 1, Number(value) - 1]
  if (type === '_text') return [[...(value as string[]), 'more'], []]
  if (type === 'timestamp with time zone') return [1, -1].map((seconds) => new Date((value as Date | null ?? new Date('2026-03-02T09:00:00Z')).getTime() + seconds * 1_000))
  if (type === 'jsonb') return ['{"another": true}']
  if (type === 'bytea') return otherBytes(value as Buffer | null)
  return value === null ? ['another'] : otherTexts(String(value))
}

function otherBytes(bytes: Buffer | null): Buffer[] {
  if (bytes === null) return [Buffer.from('another')]
  const flipped = [0, bytes.length >> 1, bytes.length - 1].map((at) => {
    const other = Buffer.from(bytes)
    other[at]! ^= 1
    return other
  })
  return [...flipped, bytes.subarray(1), Buffer.concat([bytes, Buffer.from([0])]), Buffer.alloc(0)]
}
