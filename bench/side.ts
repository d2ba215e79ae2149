import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Connection } from '../src/kernel/database/connect.ts'

/** One of those that are compared: opened once, measured in turns with the others. */
export interface Side {
  /** Works at this concurrency for about so long, and says how many units were finished in how many milliseconds. */
  measure(concurrency: number, milliseconds: number): Promise<Measured>
  close(): Promise<void>
}

export interface Measured {
  readonly done: number
  readonly milliseconds: number
}

/** What the module of a side exports as `open`: `database` belongs to this side alone and is empty. */
export type OpenSide = (database: Connection) => Promise<Side>

/** Opens a side in a process of its own, so that the sides share neither heap nor event loop. */
export async function startSide(module: string, database: Connection): Promise<Side> {
  const child = fork(join(import.meta.dirname, 'side-process.ts'), [module], { serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`${module} ended with code ${code}`)
  })
  ended.catch(() => {})

  async function ask<T>(question: Question): Promise<T> {
    const answer = once(child, 'message')
    child.send(question)
    const [message] = (await Promise.race([answer, ended])) as [Answer]
    if (!message.ok) throw new Error(`${module}: ${message.error}`)
    return message.data as T
  }

  await ask({ verb: 'open', database })
  return {
    measure: (concurrency, milliseconds) => ask({ verb: 'measure', concurrency, milliseconds }),
    async close() {
      await ask({ verb: 'close' })
      child.disconnect()
      await ended.catch(() => {})
    },
  }
}

export type Question =
  | { verb: 'open'; database: Connection }
  | { verb: 'measure'; concurrency: number; milliseconds: number }
  | { verb: 'close' }

export type Answer = { ok: true; data: unknown } | { ok: false; error: string }
