import type { Clock } from '../kernel/clock.ts'
import type { Database } from '../kernel/database/connect.ts'
import type { Fault } from '../kernel/fault.ts'
import type { Logger } from '../kernel/log.ts'
import { wordsOf, type AlertKind } from './alert-kinds.ts'
import { suspicionOf } from './suspicion.ts'

/** How one process says what it saw. Waits for nobody and never throws: what it watches goes on as it would. */
export interface Reporter {
  /** `subject` is a name of the house: a door, role, process, connector, job. Never what a stranger wrote. */
  note(kind: AlertKind, subject: string, seen?: { readonly code?: string; readonly count?: number }): void
  /** Notes an error if it is a sign of something. */
  fault(error: unknown, subject: string): void
  /** Of what ends when its reporter says so. */
  over(kind: AlertKind, subject: string): void
  /** Writes what is not written yet. */
  flush(): Promise<void>
  close(): Promise<void>
}

export interface ReporterDeps {
  readonly database: Pick<Database, 'pool'>
  readonly clock: Clock
  readonly log: Logger
  readonly restMs?: number
}

interface Signal {
  readonly kind: AlertKind
  readonly subject: string
  code: string | undefined
  count: number
  at: Date
}

type Reported = { readonly outcome: 'watched' | 'counted' } | { readonly outcome: 'opened' | 'raised'; readonly level: 'critical' | 'warning' | 'info' }

/** A million failures are one row of this: between two writes they are only counted, and there are few subjects. */
const mostWaiting = 32
const longestRestMs = 60_000

/** Counts in memory and writes at most once a second, later and later while the database takes nothing. A crash loses the last second. */
export function createReporter({ database, clock, log, restMs = 1_000 }: ReporterDeps): Reporter {
  let waiting = new Map<string, Signal>()
  const ended = new Map<string, Pick<Signal, 'kind' | 'subject'>>()
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()
  let failures = 0
  let closed = false
  let wroteAt = Number.NEGATIVE_INFINITY

  function add(signal: Signal): void {
    const known = waiting.get(keyOf(signal))
    if (known === undefined && waiting.size >= mostWaiting && signal.subject !== rest) return add({ ...signal, subject: rest })
    if (known === undefined) waiting.set(keyOf(signal), signal)
    else Object.assign(known, { count: known.count + signal.count, code: signal.code ?? known.code, at: signal.at })
  }

  function later(): void {
    if (closed || timer !== undefined) return
    const pause = failures === 0 ? restMs : Math.min(longestRestMs, restMs * 2 ** failures)
    timer = setTimeout(() => void flush(), Math.max(0, wroteAt + pause - performance.now()))
    timer.unref()
  }

  async function write(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    wroteAt = performance.now()
    const signals = [...waiting.values()]
    waiting = new Map()
    const over = [...ended.values()]
    ended.clear()
    // one that waited in vain is enough: a stop must not wait for all of them
    let answers = true
    for (const signal of signals) answers ? (answers = await report(signal)) : add(signal)
    for (const one of over) answers ? (answers = await end(one)) : void ended.set(keyOf(one), one)
    if (waiting.size + ended.size > 0) later()
  }

  /** False: the database takes nothing now, and what was to be written waits. */
  async function report(signal: Signal): Promise<boolean> {
    try {
      const { rows } = await database.pool.query<{ said: Reported }>('select alert_report($1, $2, $3, $4, $5) as said', [signal.kind, signal.subject, signal.count, signal.at, signal.code ?? null])
      failures = 0
      tell(signal, rows[0]!.said)
      return true
    } catch (error) {
      failed(error, signal)
      if (isOurs(error)) return true
      add(signal)
      return false
    }
  }

  async function end(one: Pick<Signal, 'kind' | 'subject'>): Promise<boolean> {
    try {
      await database.pool.query('select alert_over($1, $2)', [one.kind, one.subject])
      return true
    } catch (error) {
      failed(error, one)
      if (isOurs(error)) return true
      ended.set(keyOf(one), one)
      return false
    }
  }

  function failed(error: unknown, { kind, subject }: Pick<Signal, 'kind' | 'subject'>): void {
    failures += 1
    if (Number.isInteger(Math.log2(failures))) log.warn({ err: error, kind, subject, failures }, 'what was seen could not be reported')
  }

  function tell({ kind, subject, code, count }: Signal, said: Reported): void {
    if (said.outcome !== 'opened' && said.outcome !== 'raised') return
    const { what, mend } = wordsOf(kind, subject)
    const loud = { critical: 'error', warning: 'warn', info: 'info' } as const
    log[loud[said.level]]({ alert: kind, subject, count, ...(code !== undefined && { code }) }, `${what}. ${mend}`)
  }

  const flush = () => (writing = writing.then(write))
  const note: Reporter['note'] = (kind, subject, { code, count = 1 } = {}) => {
    const signal = { kind, subject: named(subject), code: code !== undefined && codes.test(code) ? code : undefined, count, at: clock.now() }
    ended.delete(keyOf(signal))
    add(signal)
    later()
  }
  return {
    note,
    fault(error, subject) {
      const kind = suspicionOf(error)
      if (kind !== undefined) note(kind, subject, { code: (error as Fault).code })
    },
    over(kind, subject) {
      const one = { kind, subject: named(subject) }
      ended.set(keyOf(one), one)
      later()
    },
    flush,
    async close() {
      closed = true
      await flush()
      clearTimeout(timer)
    },
  }
}

const rest = 'others'
const codes = /^[a-zA-Z0-9._-]{1,60}$/

function keyOf({ kind, subject }: Pick<Signal, 'kind' | 'subject'>): string {
  return `${kind} ${subject}`
}

/** As the database takes it. */
function named(subject: string): string {
  return subject.replaceAll(/\p{Cc}/gu, ' ').slice(0, 100) || rest
}

/** Another try would end alike: the statement is refused, not the moment. */
function isOurs(error: unknown): boolean {
  return /^(22|23|42|CA)/.test(String((error as { code?: unknown }).code))
}
