import { useSyncExternalStore } from 'react'

const everyMs = 15_000
let now = new Date()
const listeners = new Set<() => void>()
let timer: number | undefined

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  timer ??= window.setInterval(tick, everyMs)
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    window.clearInterval(timer)
    timer = undefined
  }
}

function tick(): void {
  now = new Date()
  for (const listener of listeners) listener()
}

/** Now, as the page tells it: one clock for all distances on it, so that they move together. */
export function useNow(): Date {
  return useSyncExternalStore(subscribe, () => now)
}
