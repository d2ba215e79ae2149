import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { listen } from './listen.ts'

type Topic = 'runs' | 'drafts' | 'jobs' | 'house'

/** Which of the things that were read a hint makes stale, by the first word of their key. */
const staleBy: Readonly<Record<Topic, readonly string[]>> = {
  runs: ['today', 'runs', 'jobs'],
  drafts: ['today', 'drafts', 'run'], // what a run proposed is frozen after it has closed
  jobs: ['today', 'jobs'],
  house: ['today', 'house', 'jobs'],
}

/** A run that moves fast gives many hints; one look answers those of a moment. */
const restMs = 150
/** A connection that is there again within so long was not worth a word. */
const patienceMs = 2_000

/** Reads again what the server says has moved. False while the server cannot be heard. */
export function useLiveHints(): boolean {
  const queries = useQueryClient()
  const [connected, setConnected] = useState(true)
  useEffect(() => {
    const wanted = new Set<string>()
    let reading: number | undefined
    let worry: number | undefined
    const readAgain = () => {
      reading = undefined
      for (const key of wanted) void queries.invalidateQueries({ queryKey: [key] })
      wanted.clear()
    }
    const stop = listen('/api/events', {
      onState(isConnected) {
        if (!isConnected) {
          if (!document.hidden) worry ??= window.setTimeout(() => setConnected(false), patienceMs)
          return
        }
        window.clearTimeout(worry)
        worry = undefined
        setConnected(true)
        // what was read before the stream opened may have moved since without a hint
        void queries.invalidateQueries()
      },
      on: {
        hint(data) {
          for (const key of staleBy[(data as { topic: Topic }).topic] ?? []) wanted.add(key)
          reading ??= window.setTimeout(readAgain, restMs)
        },
      },
    })
    return () => {
      stop()
      window.clearTimeout(reading)
      window.clearTimeout(worry)
    }
  }, [queries])
  return connected
}
