import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'

/** Follows a run while it is open. */
export function useRunStream(id: string, open: boolean): boolean {
  const queries = useQueryClient()
  const [live, setLive] = useState(false)
  useEffect(() => {
    if (!open) return
    const timer = window.setInterval(() => void queries.invalidateQueries({ queryKey: ['run', id] }), 1000)
    setLive(true)
    return () => window.clearInterval(timer)
  }, [queries, id, open])
  return live
}
