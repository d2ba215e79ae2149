import type { House } from '../house/index.ts'
import type { Host } from './boot.ts'
import type { Channel } from './channel.ts'

type Message =
  | { type: 'wake' }
  | { type: 'house'; house: House }
  | { type: 'stop'; deadlineMs: number }
  | { type: 'answer'; id: number; answer: { ok: boolean; data?: unknown; error?: { message: string } } }

const orphanedDeadlineMs = 2_000

type StopListener = (deadlineMs: number, exit: number) => Promise<void>

/** This process's end of the channel to `up`. When `up` is gone the process stops too. */
export function createHost(channel: Channel): Host & { onStop(listener: StopListener): void } {
  const wakes = new Set<() => void>()
  const houses = new Set<(house: House) => void>()
  const answers = new Map<number, (answer: unknown) => void>()
  let stopListener: StopListener | undefined
  let stopRequested: Parameters<StopListener> | undefined
  let requests = 0

  const stop = (deadlineMs: number, exit = 0) => {
    if (stopRequested !== undefined) return
    stopRequested = [deadlineMs, exit]
    void stopListener?.(deadlineMs, exit)
  }
  channel.onMessage((received) => {
    const message = received as Message
    if (message.type === 'wake') for (const listener of wakes) listener()
    else if (message.type === 'house') for (const listener of houses) listener(message.house)
    else if (message.type === 'stop') stop(message.deadlineMs)
    else answers.get(message.id)?.(message.answer)
  })
  channel.onClose(() => stop(orphanedDeadlineMs, channel.orphanExit))
  process.on('SIGTERM', () => stop(channel.termDeadlineMs))
  process.on('SIGINT', () => {}) // Ctrl-C reaches the whole group; `up` decides the order

  const { send } = channel
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
      if (stopRequested !== undefined) void listener(...stopRequested)
    },
  }
}
