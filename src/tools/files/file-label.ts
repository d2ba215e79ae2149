import { createHash } from 'node:crypto'
import type { Database } from '../../kernel/database/connect.ts'
import { detect, fromRow, join, parseLevel, type Label, type Level } from '../../labels/index.ts'

export interface FileLabelDeps {
  readonly database: Database
  /** The ingest rules of the house, for a path without symbolic links in a declared folder. */
  labelOf(folder: string, path: string): Label
}

/** The label of a file: its place decides; the run that wrote these bytes, the file's own front matter and the detectors only raise. */
export async function labelOfBytes(deps: FileLabelDeps, folder: string, path: string, bytes: Buffer): Promise<Label> {
  const row = await deps.database.kysely.selectFrom('file_label').select(['label_level', 'label_integrity', 'label_lanes'])
    .where('hash', '=', createHash('sha256').update(bytes).digest()).executeTakeFirst()
  const text = bytes.toString('utf8')
  const raised = [frontMatterLevel(text), detect(text)].map((level): Label => ({ level, integrity: 'trusted', lanes: [] }))
  return join(deps.labelOf(folder, path), ...raised, ...(row ? [fromRow(row)] : []))
}

/** The level that a `label:` in the front matter names; 0 when it names none. One that looks like a level and is none is taken for the worst. */
export function frontMatterLevel(text: string): Level {
  const block = /^\ufeff?---[ \t]*\r?\n([\s\S]{0,10000}?)\r?\n(?:---|\.\.\.)[ \t]*(?:\r?\n|$)/.exec(text)?.[1]
  const value = block === undefined ? undefined : /^label:[ \t]*["']?([^"'#\r\n]{1,100})/m.exec(block)?.[1]?.trim()
  if (value === undefined) return 0
  try {
    return parseLevel(value)
  } catch {
    return /^p\s*\d/i.test(value) ? 3 : 0
  }
}
