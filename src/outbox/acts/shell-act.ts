import type { ActFrame } from './outbound-act.ts'

/** Something in the folder that was there before and is gone or another after the command was tried out. */
export interface ShellLoss {
  /** In the folder, with `/`. */
  readonly path: string
  readonly type: 'file' | 'folder' | 'link'
  /** Bytes; 0 of what is no file. */
  readonly size: number
  /** Of a file that is not too large to be read. */
  readonly sha256: string | null
  /** Null: it is gone. Otherwise what it would be. */
  readonly becomes: string | null
}

/** One command of the operator's, in one folder. */
export interface ShellAct extends ActFrame {
  readonly kind: 'shell.act'
  readonly folder: string
  /** The folder on the disk. */
  readonly root: string
  /** Below it; empty: the folder itself. */
  readonly cwd: string
  readonly argv: readonly string[]
  /** Every program that takes part, and the files among the arguments, by the digests of their bytes. */
  readonly programs: readonly { readonly path: string; readonly sha256: string }[]
  readonly files: readonly { readonly path: string; readonly sha256: string }[]
  readonly timeout_ms: number
  /** How it ended when it was tried out on a copy of the folder; null: it was not. */
  readonly tried: number | null
  readonly lost: readonly ShellLoss[]
  /** Commits that no branch, tag or stash leads to any more. */
  readonly commits: readonly { readonly id: string; readonly subject: string }[]
  /** Tables of databases in files: their rows before, and after; null: the table is gone. */
  readonly tables: readonly { readonly file: string; readonly table: string; readonly before: number; readonly after: number | null }[]
}

const digests = { list: { fields: { path: 'string', sha256: 'string' } } } as const
export const shellShape = {
  folder: 'string', root: 'string', cwd: 'string', argv: { list: 'string' }, programs: digests, files: digests, timeout_ms: 'number', tried: 'number or null',
  lost: { list: { fields: { path: 'string', type: 'string', size: 'number', sha256: 'text or null', becomes: 'text or null' } } },
  commits: { list: { fields: { id: 'string', subject: 'string' } } },
  tables: { list: { fields: { file: 'string', table: 'string', before: 'number', after: 'number or null' } } },
} as const

export function wordsOfShell({ folder, root, cwd, argv, programs, files, timeout_ms: timeout, tried, lost, commits, tables }: ShellAct): string {
  return [
    `Run in the folder ${folder} (${root})${cwd === '' ? '' : `, in ${cwd}`}, each argument on a line of its own:`,
    ...argv.map((argument) => `  ${/^[\x21-\x7e]+$/.test(argument) && !/["'\\]/.test(argument) ? argument : JSON.stringify(argument)}`),
    `It gets no network and no credentials, can change nothing outside of ${root}, and is ended after ${timeout / 1000} s.`,
    '',
    ...programs.map(({ path, sha256 }) => `program ${path}  sha256 ${sha256}`),
    ...files.map(({ path, sha256 }) => `file ${path}  sha256 ${sha256}`),
    ...(tried === null ? [] : ['', ...wordsOfTrial(tried, lost, commits, tables)]),
    '',
  ].join('\n')
}

function wordsOfTrial(exit: number, lost: ShellAct['lost'], commits: ShellAct['commits'], tables: ShellAct['tables']): string[] {
  const gone = lost.filter(({ becomes }) => becomes === null)
  const files = lost.filter(({ type }) => type === 'file')
  return [
    `It was tried out on a copy of the folder, and ended with ${exit}. It is run only as long as it would take away the same:`,
    `${gone.length} gone, ${lost.length - gone.length} changed, ${files.reduce((sum, { size }) => sum + size, 0)} bytes; ${commits.length} commit${commits.length === 1 ? '' : 's'}; ${tables.length} table${tables.length === 1 ? '' : 's'}.`,
    '',
    ...lost.map(({ path, type, size, sha256, becomes }) => `${path}${type === 'folder' ? '/' : ''}  ${becomes ?? 'gone'}${type === 'file' ? `, was ${size} bytes` : ''}${sha256 === null ? '' : `  sha256 ${sha256}`}`),
    ...commits.map(({ id, subject }) => `commit ${id.slice(0, 12)} is lost: ${subject}`),
    ...tables.map(({ file, table, before, after }) => `table ${table} of ${file}: ${after === null ? `gone, with ${before} rows` : `${before} rows become ${after}`}`),
  ]
}
