export interface SourceQuestion {
  /** As castellan.yaml calls it. */
  readonly source: string
  /** Those that it declares. */
  readonly params: Readonly<Record<string, string>>
}

/** The newest answer of a source, and how old it is. */
export interface Snapshot {
  readonly source: string
  readonly fetchedAt: Date
  /** Negative when the clock went back. */
  readonly ageMs: number
  readonly media: string
  readonly body: Buffer
  readonly format: 'json' | 'text' | 'bytes'
  /** The age beyond which it is old, unless somebody says otherwise. */
  readonly maxAgeMs: number
}

/** What was read from outside, as far as the run may see it; a snapshot that is returned raises its label. Nothing here reaches further than the database and the reader. */
export interface Sources {
  /** Throws a Fault `missing` where there is none that the run may read. */
  snapshot(question: SourceQuestion): Promise<Snapshot>
  /** Has the reader ask, unless there is a snapshot younger than that. Says whether it did; of the snapshot nothing to a run that may not read it. */
  refresh(question: SourceQuestion, youngerThanMs: number | undefined): Promise<{ readonly fetched: boolean; readonly snapshot: Snapshot | undefined }>
}
