import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { Failed, Rows } from './page-states.tsx'

interface ShownProps<T> {
  readonly query: UseQueryResult<T>
  /** As in `The jobs could not be read`. */
  readonly what: string
  /** How many rows it has about, so that nothing moves when it comes. */
  readonly rows: number
  readonly children: (data: T) => ReactNode
}

/** What was read; while it is not, that it is coming, or why it did not come. Old news are better than none. */
export function Shown<T>({ query, what, rows, children }: ShownProps<T>) {
  if (query.data !== undefined) return children(query.data)
  if (query.error !== null) return <Failed what={what} error={query.error} again={() => void query.refetch()} />
  return <Rows count={rows} label={`${what}: loading`} />
}
