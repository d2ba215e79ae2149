import type { historyOf } from './draft-queries.ts'

export interface HistoryLine {
  readonly at: Date
  readonly draft: string
  readonly event: string
  readonly by?: string | null
  readonly reason?: string | null
  readonly receipt?: unknown
}

/** Everything that happened to an act, in the order in which it did. */
export function tellHistory({ drafts, decisions, deliveries }: Awaited<ReturnType<typeof historyOf>>): HistoryLine[] {
  const lines: HistoryLine[] = [
    ...drafts.map(({ frozenAt, id }) => ({ at: frozenAt, draft: id, event: 'frozen' })),
    ...decisions.map(({ at, draft, verdict, key, reason }) => ({ at, draft, event: { approve: 'approved', deny: 'denied', undo: 'undone' }[verdict], by: key, reason })),
    ...deliveries.map(({ started, draft }) => ({ at: started, draft, event: 'releasing' })),
    ...drafts
      .filter(({ closedAt, state }) => closedAt !== null && state !== 'denied' && state !== 'undone')
      .map(({ closedAt, id, state, reason }) => ({ at: closedAt!, draft: id, event: state, reason, receipt: deliveries.find(({ draft }) => draft === id)?.receipt ?? null })),
  ]
  return lines.sort((a, b) => a.at.getTime() - b.at.getTime())
}
