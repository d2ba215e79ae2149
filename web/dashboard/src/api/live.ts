import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'

/** Which of the things that were read a hint of the server makes stale, by the first word of their key. */
const staleBy: Readonly<Record<string, readonly string[]>> = {
  runs: ['today', 'runs', 'jobs'],
  drafts: ['today', 'drafts'],
  jobs: ['today', 'jobs'],
  house: ['today', 'house', 'jobs'],
}

/** Reads again what the server says has moved. False while the server cannot be heard. */
export function useLiveHints(): boolean {
  const queries = useQueryClient()
  const [connected, setConnected] = useState(true)
  useEffect(() => {
    const source = new EventSource('/api/events')
    const wanted = new Set<string>()
    let timer: number | undefined
    // a run that moves fast gives many hints; one look answers those of a moment
    const readAgain = () => {
      timer = undefined
      for (const key of wanted) void queries.invalidateQueries({ queryKey: [key] })
      wanted.clear()
    }
    const hear = (topic: string) => {
      for (const key of staleBy[topic] ?? []) wanted.add(key)
      timer ??= window.setTimeout(readAgain, 150)
    }
    source.addEventListener('hint', (event: MessageEvent<string>) => hear((JSON.parse(event.data) as { topic: string }).topic))
    source.onopen = () => {
      setConnected((was) => {
        if (!was) void queries.invalidateQueries()
        return true
      })
    }
    source.onerror = () => setConnected(false)
    return () => {
      source.close()
      window.clearTimeout(timer)
    }
  }, [queries])
  return connected
}
