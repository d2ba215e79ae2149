import type { z } from 'zod'
import type { Problem } from './problem.ts'
import { branchValues, keysOf, schemaAt, unwrap, writtenDefault } from './schema-tree.ts'
import { didYouMean, nearest } from './suggest.ts'
import type { Path, YamlSource } from './yaml-source.ts'

type Issue = z.core.$ZodIssue

/** Parses a file by its schema. Every problem is placed, says what is wrong and what would be right. */
export function checkShape<S extends z.ZodType>(schema: S, source: YamlSource): { value?: z.output<S>; problems: Problem[] } {
  const parsed = schema.safeParse(source.value ?? {}, { reportInput: true })
  if (parsed.success) return { value: parsed.data, problems: [] }
  return { problems: parsed.error.issues.flatMap((issue) => describe(schema, source, issue, issue.path)) }
}

/** What is left of a file without its broken sections, so that the rest of the house can be checked against it. */
export function salvage<S extends z.ZodObject>(schema: S, value: unknown): { value: z.output<S>; broken: ReadonlySet<string> } {
  const given = typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
  const issues = schema.safeParse(given).error?.issues ?? []
  const broken = new Set(issues.flatMap((issue) => (issue.code === 'unrecognized_keys' && issue.path.length === 0 ? issue.keys : issue.path.slice(0, 1).map(String))))
  return { value: schema.parse(Object.fromEntries(Object.entries(given).filter(([key]) => !broken.has(key)))), broken }
}

function describe(schema: z.ZodType, source: YamlSource, issue: Issue, path: Path): Problem[] {
  const named = path.length === 0 ? 'the file' : path.map(String).join('.')
  const at = path.length === 0 ? schema : schemaAt(schema, path)
  const right = at ? whatIsRight(at) : ''
  if ((issue.code === 'invalid_type' || issue.code === 'invalid_value') && issue.input === undefined && path.length > 0) {
    return [source.problem(path, `${named} is missing`, right)]
  }
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => {
        const known = at ? keysOf(at) : []
        const what = `there is no key ${key}${path.length > 0 ? ` in ${path.map(String).join('.')}` : ''}`
        return source.problem([...path, key], what, didYouMean(key, known), { at: 'key' })
      })
    case 'invalid_type':
      // what stands where { secret: NAME } should may be the secret itself, and problems are stored and shown
      return [source.problem(path, `${named} is ${typeof issue.input === 'string' && isGroup(issue.expected) ? 'a text' : kindOf(issue.input)} and should be ${article(issue.expected)}`, right)]
    case 'invalid_value': {
      const values = issue.values.map(String)
      const near = nearest(String(issue.input), values)
      return [source.problem(path, `${named} cannot be ${JSON.stringify(issue.input)}`, near ? `did you mean ${near}?` : `one of ${values.join(', ')}`)]
    }
    case 'invalid_union':
      return ofUnion(schema, source, issue, path, right)
    case 'invalid_key':
      return [source.problem(path, `${String(path.at(-1))} is not a name`, issue.issues[0]?.message ?? '', { at: 'key' })]
    case 'custom':
      return [source.problem(path, issue.message, String(issue.params?.['instead'] ?? right))]
    default:
      return [source.problem(path, `${named}: ${lowerFirst(issue.message)}`, right)]
  }
}

/** Of the branches that fit the kind of value, the one with the fewest problems is the one that was meant. */
function ofUnion(schema: z.ZodType, source: YamlSource, issue: Issue & { code: 'invalid_union' }, path: Path, right: string): Problem[] {
  if (typeof issue.discriminator === 'string') return ofKinds(schema, source, issue.input, path)
  const fitting = issue.errors
    .filter((branch) => !branch.some((one) => one.path.length === 0 && (one.code === 'invalid_type' || one.code === 'invalid_value')))
    .sort((a, b) => a.length - b.length)[0]
  if (fitting && fitting.length > 0) return fitting.flatMap((one) => describe(schema, source, one, [...path, ...one.path]))
  return [source.problem(path, `${path.map(String).join('.')} cannot be ${kindOf(issue.input)} like this`, right)]
}

/** The key that says which branch is meant names none of them. */
function ofKinds(schema: z.ZodType, source: YamlSource, input: unknown, path: Path): Problem[] {
  const kind = String(path.at(-1))
  const union = schemaAt(schema, path.slice(0, -1))
  const values = union ? branchValues(union, kind) : []
  const given = (input as Record<string, unknown>)[kind]
  const near = nearest(String(given), values)
  return [source.problem(path, `${path.map(String).join('.')} cannot be ${JSON.stringify(given)}`, near ? `did you mean ${near}?` : `one of ${values.join(', ')}`)]
}

/** The description of a key, and its default, for the half of the message that says what would be right. */
function whatIsRight(schema: z.core.$ZodType): string {
  const { description } = unwrap(schema)
  const standard = writtenDefault(schema)
  const example = standard === undefined || typeof standard === 'object' ? '' : ` Default: ${String(standard)}.`
  return `${description ?? ''}${example}`.trim()
}

function kindOf(value: unknown): string {
  if (value === null) return 'empty'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a group of keys'
  return typeof value === 'string' ? `the text ${JSON.stringify(value.slice(0, 60))}` : `the ${typeof value === 'boolean' ? 'truth value' : 'number'} ${String(value)}`
}

function isGroup(expected: string): boolean {
  return expected === 'object' || expected === 'record'
}

function article(expected: string): string {
  const words: Record<string, string> = {
    string: 'a text (put quotes around it)', number: 'a number', int: 'a whole number', boolean: 'true or false', array: 'a list', object: 'a group of keys', record: 'a group of keys',
  }
  return words[expected] ?? expected
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1)
}
