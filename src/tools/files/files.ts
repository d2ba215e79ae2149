import type { Label } from '../../labels/index.ts'

/** A folder that the house declares for tools. */
export interface DeclaredFolder {
  readonly name: string
  /** Absolute. */
  readonly path: string
  readonly access: 'read' | 'write'
  readonly label: Label
}

export interface FileEntry {
  /** Relative to the declared folder, with `/`. */
  readonly path: string
  readonly kind: 'file' | 'folder'
  readonly bytes: number
  readonly modified: Date
}

export interface FileText {
  readonly path: string
  readonly text: string
  readonly bytes: number
  readonly sha256: string
}

export interface FileHit {
  readonly path: string
  readonly line: number
  readonly text: string
}

/** The declared folders as one run may see them; what is returned raises the run's label. Paths are relative to a declared folder. */
export interface Files {
  folders(): readonly DeclaredFolder[]
  list(query: { folder: string; path?: string | undefined; recursive?: boolean | undefined; limit: number }): Promise<{ entries: readonly FileEntry[]; truncated: boolean }>
  read(query: { folder: string; path: string }): Promise<FileText>
  search(query: { folder: string; query: string; limit: number }): Promise<{ hits: readonly FileHit[]; truncated: boolean }>
  write(query: { folder: string; path: string; text: string }): Promise<{ path: string; bytes: number; sha256: string }>
}
