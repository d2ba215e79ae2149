export interface RunRow {
  readonly id: string
  readonly job: string
  readonly lane: string
  readonly state: string
  /** The code of the error that ended it, never its text. */
  readonly error: string | null
  readonly madeWithoutModel: boolean
  readonly openedAt: Date
  readonly closedAt: Date | null
}

export interface OccurrenceRow {
  readonly job: string
  readonly slot: Date
  readonly origin: string
  readonly state: string
  readonly reason: string | null
  readonly closedAt: Date | null
}

export interface DraftRow {
  readonly proposal: string
  readonly run: string
  readonly job: string
  readonly kind: string
  readonly connector: string
  readonly state: string
  readonly proposedAt: Date
}

export interface CallRow {
  readonly task: string
  readonly gate: string
  readonly upstream: string | null
  readonly model: string | null
  readonly state: string
  readonly calls: number
  readonly inputTokens: number
  readonly outputTokens: number
  /** Null when the price of one of them is not known. */
  readonly costEur: number | null
}

export interface AlertRow {
  readonly id: string
  readonly kind: string
  readonly level: 'critical' | 'warning' | 'info'
  readonly state: 'open' | 'acknowledged' | 'closed'
  readonly subject: string
  /** How often it was seen since it opened. */
  readonly count: number
  readonly timesOpened: number
  readonly openedAt: Date
  readonly lastSeen: Date
  readonly closedAt: Date | null
}

export interface AlertQuery extends LedgerQuery {
  /** Only these. */
  readonly ids?: readonly string[] | undefined
}

export interface LedgerQuery {
  readonly since: Date
  readonly limit: number
}

/** What happened, as one run may know it; the rows that are returned raise its label. */
export interface Ledger {
  runs(query: LedgerQuery): Promise<readonly RunRow[]>
  occurrences(query: LedgerQuery): Promise<readonly OccurrenceRow[]>
  drafts(query: LedgerQuery): Promise<readonly DraftRow[]>
  calls(query: LedgerQuery): Promise<readonly CallRow[]>
  /** Security alerts, the gravest first: those that are not over, and those that were seen since; or those that are named. */
  alerts(query: AlertQuery): Promise<readonly AlertRow[]>
  /** Slots that did not run as they should: missed, skipped, failed, or due and still not closed. */
  late(query: LedgerQuery): Promise<readonly OccurrenceRow[]>
}
