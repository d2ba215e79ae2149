import type { LimitSettings } from '../../house/index.ts'
import { Fault } from '../../kernel/fault.ts'
import { createWindow, type Window } from './window.ts'

const periods = ['minute', 'hour', 'day'] as const
type Period = (typeof periods)[number]

/** Room for one call. */
export interface Slot {
  /** Once, with the tokens that it took; nothing: it was not made. */
  leave(tokens: number | undefined): void
}

export interface Entry {
  readonly upstream: string
  /** As many as it may take. */
  readonly tokens: number
  /** Is there another model that could answer? */
  readonly hasNext: boolean
  /** It stands behind everybody who waits, and comes again later itself. */
  readonly yields: boolean
  readonly signal: AbortSignal
}

/** What was asked in the last day, of a gate that has stopped since. */
export interface Past {
  readonly upstream: string
  readonly agoMs: number
  readonly requests: number
  readonly tokens: number
}

/** The limits of all upstreams of one gate. */
export interface Limits {
  /** Waits for room, first come, first served. Fault `limit_reached`: there is none in time. */
  enter(entry: Entry): Promise<Slot>
  remember(past: readonly Past[]): void
}

interface Waiting extends Entry {
  go(slot: Slot): void
}

/** Milliseconds until there is room, and what there is none of now. Without end where another call has to end first. */
interface Wait {
  readonly ms: number
  readonly what: string
  /** A call that ends before may leave room: what it reserved and did not take. */
  readonly mayShorten: boolean
}

interface Book {
  readonly requests: Readonly<Record<Period, Window>>
  readonly tokens: Readonly<Record<Period, Window>>
  running: number
  readonly queue: Waiting[]
  timer: NodeJS.Timeout | undefined
}

const spans: Readonly<Record<Period, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 }
const mostWaiting = 1_000
const open: Slot = { leave: () => {} }

export function createLimits(settings: () => Readonly<Record<string, LimitSettings>>, now: () => number = () => performance.now()): Limits {
  const books = new Map<string, Book>()

  function bookOf(upstream: string): Book {
    const known = books.get(upstream)
    if (known) return known
    const windows = () => Object.fromEntries(periods.map((period) => [period, createWindow(spans[period])])) as Record<Period, Window>
    const made: Book = { requests: windows(), tokens: windows(), running: 0, queue: [], timer: undefined }
    books.set(upstream, made)
    return made
  }

  function waitOf(book: Book, limit: LimitSettings, tokens: number): Wait {
    const waits = [
      ...(limit.concurrent !== undefined && book.running >= limit.concurrent ? [{ ms: Infinity, what: `${limit.concurrent} calls at a time`, mayShorten: true }] : []),
      ...periods.flatMap((period) => (['requests', 'tokens'] as const).flatMap((unit) => {
        const most = limit[unit][period]
        return most === undefined ? [] : [{ ms: book[unit][period].waitFor(unit === 'requests' ? 1 : tokens, most, now()), what: `${most} ${unit} a ${period}`, mayShorten: unit === 'tokens' && book.running > 0 }]
      })),
    ]
    return waits.reduce((longest, wait) => (wait.ms > longest.ms ? wait : longest), { ms: 0, what: '', mayShorten: false })
  }

  function count(book: Book, requests: number, tokens: number, at: number): void {
    for (const period of periods) {
      book.requests[period].add(requests, at)
      book.tokens[period].add(tokens, at)
    }
  }

  function take(upstream: string, book: Book, reserved: number): Slot {
    const at = now()
    count(book, 1, reserved, at)
    book.running += 1
    let hasLeft = false
    return {
      leave(tokens) {
        if (hasLeft) return
        hasLeft = true
        book.running -= 1
        count(book, tokens === undefined ? -1 : 0, (tokens ?? 0) - reserved, at)
        serve(upstream, book)
      },
    }
  }

  /** Lets in who has room now, and comes again when the first of the others has. */
  function serve(upstream: string, book: Book): void {
    clearTimeout(book.timer)
    const limit = settings()[upstream]
    while (book.queue.length > 0) {
      const { ms } = limit ? waitOf(book, limit, book.queue[0]!.tokens) : { ms: 0 }
      if (ms > 0) {
        if (Number.isFinite(ms)) book.timer = setTimeout(() => serve(upstream, book), Math.ceil(ms))
        return
      }
      const { go, tokens } = book.queue.shift()!
      go(take(upstream, book, tokens))
    }
  }

  function queue(entry: Entry, book: Book, waitMs: number, fault: () => Fault): Promise<Slot> {
    const { promise, resolve, reject } = Promise.withResolvers<Slot>()
    const leaveQueue = (error: unknown) => {
      const place = book.queue.indexOf(waiting)
      if (place === -1) return
      book.queue.splice(place, 1)
      reject(error)
      serve(entry.upstream, book)
    }
    const onAbort = () => leaveQueue(entry.signal.reason)
    const deadline = setTimeout(() => leaveQueue(fault()), waitMs)
    const waiting: Waiting = { ...entry, go: resolve }
    entry.signal.addEventListener('abort', onAbort, { once: true })
    book.queue.push(waiting)
    serve(entry.upstream, book)
    return promise.finally(() => {
      clearTimeout(deadline)
      entry.signal.removeEventListener('abort', onAbort)
    })
  }

  return {
    async enter(entry) {
      const { upstream, tokens, hasNext, yields, signal } = entry
      const limit = settings()[upstream]
      if (!limit) return open
      signal.throwIfAborted()
      const book = bookOf(upstream)
      const { ms, what, mayShorten } = waitOf(book, limit, tokens)
      if (ms === 0 && book.queue.length === 0) return take(upstream, book, tokens)
      const full = () => limitReached(upstream, waitOf(book, limit, tokens), what)
      const goesOn = hasNext && limit.whenFull === 'next'
      if (yields) throw goesOn ? full() : wouldPush(upstream, ms)
      const isHopeless = (ms > limit.waitMs && !mayShorten) || book.queue.length >= mostWaiting
      if (isHopeless || limit.waitMs === 0 || goesOn) throw full()
      return queue(entry, book, limit.waitMs, full)
    },

    remember(past) {
      for (const { upstream, agoMs, requests, tokens } of past) count(bookOf(upstream), requests, tokens, now() - agoMs)
    },
  }
}

/** For no other model either: what can wait is not to cost more because a cheaper model is busy. */
function wouldPush(upstream: string, ms: number): Fault {
  const retryAfter = Number.isFinite(ms) && ms > 0 ? Math.ceil(ms / 1_000) : 1
  return new Fault('conflict', 'limit_reached', `upstream ${upstream} has no room now for what can wait (models.upstreams.${upstream}.limits)`, { upstream, retryAfter })
}

function limitReached(upstream: string, wait: Wait, before: string): Fault {
  const known = Number.isFinite(wait.ms) && wait.ms > 0
  const retryAfter = known ? Math.ceil(wait.ms / 1_000) : 1
  return new Fault('unavailable', 'limit_reached', `upstream ${upstream} is asked at most ${wait.what || before}${known ? `; there is room again in ${retryAfter} s` : ''} (models.upstreams.${upstream}.limits)`, { upstream, retryAfter })
}
