import { closeSync, openSync, readSync, statSync } from 'node:fs'

export interface Refused {
  /** SQLSTATE. */
  readonly code: string
  readonly role: string
}

/** Of `log_line_prefix` in embedded-settings.ts, and the severity. What follows is the message, and nobody's business here. */
const prefix = /^\d{4}-\d\d-\d\d [\d:.]+ \S+ \[\d+\] ([0-9A-Z]{5}) (\S{1,63}) (?:ERROR|FATAL): /

/** What a line of PostgreSQL's log says of a statement or sign-in that it did not take. A message of several lines goes on behind a tab, and so looks like none. */
export function readLogLine(line: string): Refused | undefined {
  const [, code, role] = prefix.exec(line) ?? []
  return code === undefined || role === undefined ? undefined : { code, role }
}

/** Most that one look reads; what is behind it comes with the next. */
const mostBytes = 4 * 2 ** 20
const longestLine = 64 * 1024

/**
 * Reads what is added to a file, from its end on, in whole lines. One that was put aside and begun anew, or cut, is read from its beginning.
 * `more`: there was more than one look reads.
 */
export function followFile(path: string): () => { readonly lines: readonly string[]; readonly more: boolean } {
  let known = statSync(path, { throwIfNoEntry: false })
  let offset = known?.size ?? 0
  let rest = ''
  return () => {
    const now = statSync(path, { throwIfNoEntry: false })
    if (now === undefined) return { lines: [], more: false }
    if (now.ino !== known?.ino || now.size < offset) {
      offset = 0
      rest = ''
    }
    known = now
    if (now.size === offset) return { lines: [], more: false }
    const text = readFrom(path, offset, Math.min(mostBytes, now.size - offset))
    offset += Buffer.byteLength(text, 'latin1')
    const lines = (rest + text).split('\n')
    rest = (lines.pop() ?? '').slice(-longestLine)
    return { lines, more: offset < now.size }
  }
}

/** Codes and names of roles are ASCII; what else there is need not be understood, and keeps its length. */
function readFrom(path: string, from: number, length: number): string {
  const descriptor = openSync(path, 'r')
  try {
    const buffer = Buffer.alloc(length)
    return buffer.toString('latin1', 0, readSync(descriptor, buffer, 0, length, from))
  } finally {
    closeSync(descriptor)
  }
}
