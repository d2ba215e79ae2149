import type { ActFrame } from './outbound-act.ts'

export interface FileEntry {
  /** In the folder, with `/`. */
  readonly path: string
  readonly type: 'file' | 'folder'
  /** Bytes; 0 of a folder. */
  readonly size: number
  /** In milliseconds; 0 of a folder. */
  readonly modified: number
  /** Of a small file. */
  readonly sha256: string | null
}

/** Files of a declared folder that are put elsewhere in it: into its trash, or where they are wanted. */
export interface FilesAct extends ActFrame {
  readonly kind: 'files.delete' | 'files.move'
  readonly folder: string
  /** The folder on the disk. */
  readonly root: string
  /** What is moved as a whole. */
  readonly items: readonly { readonly from: string; readonly to: string }[]
  /** Everything in it, as it was when this was frozen. */
  readonly entries: readonly FileEntry[]
}

export const filesShape = {
  folder: 'string', root: 'string', items: { list: { fields: { from: 'string', to: 'string' } } },
  entries: { list: { fields: { path: 'string', type: 'string', size: 'number', modified: 'number', sha256: 'text or null' } } },
} as const

export function wordsOfFiles({ kind, folder, root, items, entries }: FilesAct): string {
  const files = entries.filter(({ type }) => type === 'file')
  const bytes = files.reduce((sum, { size }) => sum + size, 0)
  return [
    kind === 'files.delete' ? `Delete from the folder ${folder} (${root}), into its trash:` : `Move in the folder ${folder} (${root}):`,
    `${files.length} file${files.length === 1 ? '' : 's'}, ${bytes} bytes, ${entries.length - files.length} folder${entries.length - files.length === 1 ? '' : 's'}. What has changed by then stays, and the rest with it.`,
    '',
    ...items.map(({ from, to }) => (kind === 'files.delete' ? from : `${from} → ${to}`)),
    '',
    'All that is in it:',
    ...entries.map(({ path, type, size, sha256 }) => (type === 'folder' ? `${path}/` : `${path}  ${size} bytes${sha256 === null ? '' : `  sha256 ${sha256}`}`)),
    '',
  ].join('\n')
}
