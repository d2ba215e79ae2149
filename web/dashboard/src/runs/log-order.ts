import type { LogLine } from '../api/views.ts'

/** The lines with one more, in their order; one that is there already is not there twice. */
export function withLine(lines: readonly LogLine[], line: LogLine): LogLine[] {
  const at = lines.findLastIndex(({ id }) => Number(id) <= Number(line.id))
  return lines[at]?.id === line.id ? [...lines] : [...lines.slice(0, at + 1), line, ...lines.slice(at + 1)]
}
