import { createHash } from 'node:crypto'
import type { LogLine, RunDetail } from '../api.ts'
import type { Stream } from './stream.ts'
import type { Watch } from './watch.ts'

/** What a listener has: every log line up to `line`, and the run as `digest` sums it up. */
export interface Position {
  readonly line: number
  readonly digest: string
}

export interface RunReader {
  run(): Promise<RunDetail>
  linesAfter(line: number): Promise<LogLine[]>
}

const closed: ReadonlySet<string> = new Set(['succeeded', 'cancelled', 'dead'])

/** The position that an event id stands for; one that is none of ours is the beginning. */
export function parsePosition(id: unknown): Position {
  const found = typeof id === 'string' ? /^(\d{1,15})-([\w-]{22})$/.exec(id) : null
  return found ? { line: Number(found[1]), digest: found[2]! } : { line: 0, digest: '' }
}

export const eventId = ({ line, digest }: Position): string => `${line}-${digest || 'nothing-was-seen-yet--'}`

/** Is there nothing more to tell a listener at this position? Then a browser should not come back. */
export async function hasAll(reader: RunReader, position: Position): Promise<boolean> {
  const run = await reader.run()
  return closed.has(run.state) && digestOf(run) === position.digest && (await reader.linesAfter(position.line)).length === 0
}

/**
 * Tells a listener what happened since its position, and then what happens, until the run is closed. Each event's id is the
 * position after it, so that who comes back with the last one misses nothing and hears nothing twice.
 */
export async function followRun(stream: Stream, watch: Watch, id: string, reader: RunReader, from: Position): Promise<void> {
  let position = from
  let changed = Promise.withResolvers<void>()
  const unwatch = watch.run(id, () => changed.resolve())
  stream.ended.addEventListener('abort', () => changed.resolve(), { once: true })
  try {
    while (!stream.ended.aborted) {
      changed = Promise.withResolvers()
      // a step's lines are stored with its result: read after the run, they are all that led to this state of it
      const run = await reader.run()
      for (let lines = await reader.linesAfter(position.line); lines.length > 0 && !stream.ended.aborted; lines = await reader.linesAfter(position.line)) {
        for (const line of lines) {
          position = { ...position, line: Number(line.id) }
          await stream.send('log', line, eventId(position))
        }
      }
      const digest = digestOf(run)
      if (digest !== position.digest) {
        position = { ...position, digest }
        await stream.send('run', run, eventId(position))
      }
      if (closed.has(run.state)) return
      if (!stream.ended.aborted) await changed.promise
    }
  } finally {
    unwatch()
    stream.end()
  }
}

function digestOf(run: RunDetail): string {
  return createHash('sha256').update(JSON.stringify(run)).digest('base64url').slice(0, 22)
}
