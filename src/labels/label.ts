/** Confidentiality: P0 public < P1 low < P2 internal < P3 local only. */
export type Level = 0 | 1 | 2 | 3
export type Integrity = 'trusted' | 'untrusted'

/** What travels with every piece of data: who may see it, whether a stranger could have written it, and the lanes it came through. */
export interface Label {
  readonly level: Level
  readonly integrity: Integrity
  /** Sorted, without repetition. */
  readonly lanes: readonly string[]
}
