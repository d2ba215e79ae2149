const secretKey = /pass(word|wd|phrase)|secret|token|api[-_]?key|authorization|cookie|credential|private[-_]?key|signing[-_]?key/i
const hidden = '[redacted]'
const deepest = 8

/** A copy in which nothing stands any more under a key that names a secret. Numbers stay: a count of tokens is no token. */
export function redactByKey(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  if (depth === deepest) return '[too deep]'
  if (value instanceof Error) return describeError(value, depth)
  if (Array.isArray(value)) return value.map((item) => redactByKey(item, depth + 1))
  if (value instanceof Map) return redactByKey(Object.fromEntries(value), depth)
  if (value instanceof Set) return redactByKey([...value], depth)
  const { toJSON } = value as { toJSON?: () => unknown }
  if (typeof toJSON === 'function') return redactByKey(toJSON.call(value), depth + 1)
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, secretKey.test(key) && holdsText(item) ? hidden : redactByKey(item, depth + 1)]),
  )
}

function holdsText(value: unknown): boolean {
  return typeof value === 'string' ? value !== '' : typeof value === 'object' && value !== null
}

/** What an error says, without what PostgreSQL adds to it: `detail`, `where` and the query can carry rows. */
export function describeError(error: Error, depth = 0): Record<string, unknown> {
  const { kind, code, details } = error as Error & { kind?: unknown; code?: unknown; details?: unknown }
  return {
    type: error.constructor.name,
    message: error.message,
    ...(kind !== undefined && { kind }),
    ...(code !== undefined && { code }),
    ...(details !== undefined && { details: redactByKey(details, depth + 1) }),
    stack: error.stack,
    ...(error.cause !== undefined && { cause: redactByKey(error.cause, depth + 1) }),
    ...(error instanceof AggregateError && { errors: redactByKey(error.errors, depth + 1) }),
  }
}

/** Inside a JSON string: anything but its end, escapes taken whole, so that what is cut out leaves valid JSON. */
const inString = String.raw`(?:[^"\\]|\\.)`

const secretValues: readonly (readonly [RegExp, string])[] = [
  [new RegExp(`-----BEGIN [A-Z ]*PRIVATE KEY-----${inString}*?(?:-----END [A-Z ]*PRIVATE KEY-----|(?="))`, 'g'), hidden],
  [/\bcst_[\w-]{8,}/g, 'cst_[redacted]'],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi, `$1 ${hidden}`],
  [/\b(?:sk|pk|rk)[-_][\w-]{16,}|\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}|\bxox[abprs]-[\w-]{10,}|\bAKIA[0-9A-Z]{16}\b|\bAIza[\w-]{30,}/g, hidden],
  [/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, hidden],
  [/(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@"\\]*:)[^\s/@"\\]+@/gi, `$1${hidden}@`],
  [/\b(password|passwd|passphrase|secret|token|api[-_]?key)(\s*[=:]\s*)[^\s"\\,;&]+/gi, `$1$2${hidden}`],
]

/** Takes what looks like a secret out of a text, one line of JSON included. */
export function redactByValue(text: string): string {
  let clean = text
  for (const [pattern, replacement] of secretValues) clean = clean.replace(pattern, replacement)
  return clean
}
