import { Fault } from '../kernel/fault.ts'

/**
 * Reads fields of a JSON body. By hand and not by schema: each gate would carry some megabytes of a schema library for one request shape.
 * `null` counts as left out, as it does for OpenAI.
 */
export interface Fields {
  readonly path: string
  /** The value of a field that is there. */
  get(name: string): unknown
  text(name: string): string | undefined
  number(name: string, min: number, max: number): number | undefined
  whole(name: string, min: number): number | undefined
  flag(name: string): boolean | undefined
  oneOf<T extends string>(name: string, values: readonly T[]): T | undefined
  object(name: string): Fields | undefined
  list(name: string): readonly unknown[] | undefined
}

/** @throws Fault `request.invalid` that names the field and what it should be */
export function wrong(path: string, wanted: string): Fault {
  return new Fault('invalid', 'request.invalid', `${path} must be ${wanted}`, { param: path })
}

export function fields(value: unknown, path: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(path || 'the body', 'a JSON object')
  const record = value as Record<string, unknown>
  const at = (name: string) => (path === '' ? name : `${path}.${name}`)
  const get = (name: string) => (Object.hasOwn(record, name) ? (record[name] ?? undefined) : undefined)
  const when = <T>(name: string, wanted: string, test: (found: unknown) => found is T): T | undefined => {
    const found = get(name)
    if (found === undefined) return undefined
    if (!test(found)) throw wrong(at(name), wanted)
    return found
  }
  return {
    path,
    get,
    text: (name) => when(name, 'text', (found) => typeof found === 'string'),
    number: (name, min, max) =>
      when(name, `a number from ${min} to ${max}`, (found): found is number => typeof found === 'number' && found >= min && found <= max),
    whole: (name, min) =>
      when(name, `a whole number, ${min} or more`, (found): found is number => Number.isSafeInteger(found) && (found as number) >= min),
    flag: (name) => when(name, 'true or false', (found) => typeof found === 'boolean'),
    oneOf: <T extends string>(name: string, values: readonly T[]) =>
      when(name, `one of ${values.join(', ')}`, (found): found is T => values.includes(found as T)),
    object: (name) => (get(name) === undefined ? undefined : fields(get(name), at(name))),
    list: (name) => when(name, 'a list', (found) => Array.isArray(found)),
  }
}

const longestModelName = 200

/** What a client asks for. @throws Fault `request.invalid` */
export function readModel(asked: Fields): string {
  const model = asked.text('model')
  if (!model || model.length > longestModelName) throw wrong('model', 'a name: auto, task:NAME, upstream/model or model')
  return model
}

type Present<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & { [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined> }

/** The object without the fields that are undefined. */
export function present<T extends object>(value: T): Present<T> {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Present<T>
}
