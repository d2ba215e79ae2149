import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { listen } from '../api/listen.ts'
import { logQuery, runQuery } from '../api/queries.ts'
import type { LogLine, RunDetail } from '../api/views.ts'
import { withLine } from './log-order.ts'

/** Follows a run while it is open: each event is the run as it is then, or a line more of its log. True while it is heard. */
export function useRunStream(id: string, open: boolean): boolean {
  const queries = useQueryClient()
  const [live, setLive] = useState(false)
  useEffect(() => {
    if (!open) return
    return listen(`/api/runs/${id}/events`, {
      onState: setLive,
      on: {
        run: (data) => void queries.setQueryData(runQuery(id).queryKey, data as RunDetail),
        log: (data) => void queries.setQueryData(logQuery(id).queryKey, (lines) => withLine(lines ?? [], data as LogLine)),
      },
    })
  }, [queries, id, open])
  return live
}
