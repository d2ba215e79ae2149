import type { House } from '../house/index.ts'
import type { Host } from './boot.ts'

type Message =
  | { type: 'wake' }
  | { type: 'house'; house: House }
  | { type: 'stop'; deadlineMs: number }
  | { type: 'answer'; id: number; answer: { ok: boolean; data?: unknown; error?: { message: string } } }

const orphanedDeadlineMs = 2_000

/** This process's end of the channel to `up`. When `up` is gone the process stops too. */
export function createHost(): Host & { onStop(listener: (deadlineMs: number) => Promise<void>): void } {
  const wakes = new Set<() => void>()
  const houses = new Set<(house: House) => void>()
  const answers = new Map<number, (answer: unknown) => void>()
  let stopListener: ((deadlineMs: number) => Promise<void>) | undefined
  let stopRequested: number | undefined
  let requests = 0

  const stop = (deadlineMs: number) => {
    if (stopRequested !== undefined) return
    stopRequested = deadlineMs
    void stopListener?.(deadlineMs)
  }
  process.on('message', (message: Message) => {
    if (message.type === 'wake') for (const listener of wakes) listener()
    else if (message.type === 'house') for (const listener of houses) listener(message.house)
    else if (message.type === 'stop') stop(message.deadlineMs)
    else answers.get(message.id)?.(message.answer)
  })
  process.on('disconnect', () => stop(orphanedDeadlineMs))
  process.on('SIGTERM', () => stop(orphanedDeadlineMs))
  process.on('SIGINT', () => {}) // Ctrl-C reaches the whole group; `up` decides the order

  const send = (message: object) => {
    if (process.connected) process.send!(message, () => {})
  }
  return {
    ready: () => send({ type: 'ready' }),
    wake: (to) => send({ type: 'wake', to }),
    onWake: (listener) => void wakes.add(listener),
    onHouse: (listener) => void houses.add(listener),
    request: (what: string, names?: readonly string[]) => {
      const id = ++requests
      const answered = Promise.withResolvers<unknown>()
      answers.set(id, (answer) => {
        answers.delete(id)
        answered.resolve(answer)
      })
      send({ type: 'request', what, id, ...(names && { names }) })
      return answered.promise
    },
    onStop: (listener) => {
      stopListener = listener
      if (stopRequested !== undefined) void listener(stopRequested)
    },
  }
}
