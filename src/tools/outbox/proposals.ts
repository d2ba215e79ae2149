/** Where a proposal stands: its own state, and from the freeze on that of its latest draft. */
export type ProposalState =
  | 'proposed' | 'frozen' | 'refused'
  | 'waiting' | 'signed' | 'held' | 'releasing' | 'released' | 'failed' | 'unknown' | 'denied' | 'expired' | 'undone' | 'replaced'

export interface ProposalRequest {
  /** Names the item within the step; taken from the input, so that a retry finds the first proposal. */
  readonly key: string
  readonly kind: string
  readonly connector: string
  readonly payload: Readonly<Record<string, unknown>>
}

export interface ProposalRow {
  readonly id: string
  readonly run: string
  readonly step: string
  readonly key: string
  readonly kind: string
  readonly connector: string
  readonly state: string
  readonly proposedAt: Date
}

/** The way out of the house: a worker can only propose. */
export interface Proposals {
  /** The connector that leads to the operator himself. */
  readonly toOperator: string | null
  open(request: ProposalRequest): Promise<{ id: string; key: string; fresh: boolean }>
  /** Nothing for a proposal that is not there or that this run may not know of. */
  states(ids: readonly string[]): Promise<ReadonlyMap<string, ProposalState>>
  list(query: { since?: Date | undefined; limit: number }): Promise<readonly ProposalRow[]>
}
