import type { ZodError } from 'zod'

/** What is wrong, one clause an issue: the path, what was expected and what was there. Values are not repeated, they may be private. */
export function describeIssues(error: ZodError, input: unknown): string {
  const shown = error.issues.slice(0, 5).map((issue) => {
    const path = issue.path.length > 0 ? issue.path.map(String).join('.') : '(the whole)'
    const got = kindOf(at(input, issue.path))
    if (issue.code === 'invalid_type') return `${path}: expected ${issue.expected}, got ${got}`
    if (issue.code === 'unrecognized_keys') return `${path}: does not know ${issue.keys.join(', ')}`
    if (issue.code === 'invalid_value') return `${path}: expected ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}, got another ${got}`
    if (issue.code === 'too_big') return `${path}: expected at most ${issue.maximum}, got a larger ${got}`
    if (issue.code === 'too_small') return `${path}: expected at least ${issue.minimum}, got a smaller ${got}`
    return `${path}: ${issue.message} (got ${got})`
  })
  const more = error.issues.length - shown.length
  return shown.join('; ') + (more > 0 ? `; and ${more} more` : '')
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  let current = value
  for (const key of path) {
    if (typeof current !== 'object' || current === null) return undefined
    current = (current as Record<PropertyKey, unknown>)[key]
  }
  return current
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return `list of ${value.length}`
  return typeof value
}
