import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { Fault } from '../../../kernel/fault.ts'
import type { ShellAct } from '../../acts/shell-act.ts'
import type { TreeEntry } from './survey-tree.ts'
import type { WorkCommand, Workplace } from './workplace.ts'

interface TablePlace extends Pick<WorkCommand, 'root' | 'from' | 'programs' | 'timeoutMs' | 'signal'> {
  /** The program, as it was signed. */
  readonly sqlite: string
  /** Where the copy lies for the releaser. */
  readonly folder: string
  readonly entries: readonly TreeEntry[]
}

export interface TableRows {
  readonly file: string
  readonly table: string
  readonly rows: number
}

const most = { files: 20, tables: 500 }
const magic = 'SQLite format 3\0'
const names = z.array(z.object({ name: z.string() }))
const counts = z.array(z.object({ position: z.int(), count: z.int() }))

/** The tables of every database in the folder, with their rows. Counted by the program itself, in the sandbox: the releaser reads no database. */
export async function tablesOf(workplace: Workplace, place: TablePlace): Promise<TableRows[]> {
  const files: string[] = []
  for (const { path, type } of place.entries) if (type === 'file' && (await isDatabase(join(place.folder, path)))) files.push(path)
  if (files.length > most.files) throw new Fault('refused', 'shell.large', `there are more than ${most.files} databases in the folder; declare a smaller one for it`)
  const found: TableRows[] = []
  for (const file of files) {
    const tables = names.parse(await query(workplace, place, file, `select name from sqlite_schema where type = 'table' order by name`)).map(({ name }) => name)
    if (tables.length > most.tables) throw new Fault('refused', 'shell.large', `${file} has more than ${most.tables} tables`)
    const hidden = tables.find((name) => /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\uFFFD]/u.test(name))
    if (hidden !== undefined) throw new Fault('refused', 'shell.name', `a table is called ${JSON.stringify(hidden)}, which cannot be shown; give it another name first`)
    for (let at = 0; at < tables.length; at += 100) {
      const part = tables.slice(at, at + 100)
      const sql = part.map((name, index) => `select ${index} as position, count(*) as count from "${name.replaceAll('"', '""')}"`).join(' union all ')
      for (const { position, count } of counts.parse(await query(workplace, place, file, sql))) found.push({ file, table: part[position]!, rows: count })
    }
  }
  return found
}

/** Tables that are gone, or have fewer rows. */
export function lostTables(before: readonly TableRows[], after: readonly TableRows[]): ShellAct['tables'] {
  return before.flatMap(({ file, table, rows }) => {
    const now = after.find((one) => one.file === file && one.table === table)?.rows ?? null
    return now !== null && now >= rows ? [] : [{ file, table, before: rows, after: now }]
  })
}

async function query(workplace: Workplace, { sqlite, entries: _, folder: __, ...place }: TablePlace, file: string, sql: string): Promise<unknown> {
  const { exitCode, stdout, stderr } = await workplace.run({ ...place, argv: [sqlite, '-safe', '-readonly', '-batch', '-json', join(place.root, file), sql], cwd: place.root, access: 'read' })
  if (exitCode !== 0) throw new Fault('refused', 'shell.trial', `the tables of ${file} cannot be counted: ${stderr.toString('utf8').slice(0, 200)}`)
  const text = stdout.toString('utf8').trim()
  return text === '' ? [] : JSON.parse(text)
}

async function isDatabase(path: string): Promise<boolean> {
  const file = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(magic.length), 0, magic.length, 0)
    return bytesRead === magic.length && buffer.toString('latin1') === magic
  } finally {
    await file.close()
  }
}
