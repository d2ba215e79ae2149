import type { BatchSettings } from '../../house/index.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/database/connect.ts'
import { faultPoint } from '../../kernel/fault-point.ts'
import { toFault } from '../../kernel/fault.ts'
import type { Logger } from '../../kernel/log.ts'
import type { Calls, Sessions } from '../../models/index.ts'
import type { InFlight } from '../in-flight.ts'
import { answerLine, askAgainIn, askLine, errorLine } from './ask-line.ts'
import { checkFile } from './check-file.ts'
import { checkLine } from './check-line.ts'
import { closeBatch } from './close-batch.ts'
import type { FileStore } from './file-store.ts'
import { isWithin } from './hours.ts'
import type { LineStore, OpenBatch, TakenLine } from './line-store.ts'
import { createPauses } from './pauses.ts'

export interface WorkDeps {
  readonly database: Pick<Database, 'pool' | 'transaction'>
  readonly files: Pick<FileStore, 'input'>
  readonly lines: LineStore
  readonly sessions: Pick<Sessions, 'find'>
  readonly calls: Pick<Calls, 'call' | 'embed'>
  readonly inFlight: Pick<InFlight, 'track'>
  readonly settings: () => BatchSettings
  readonly timezone: () => string
  readonly clock: Clock
  readonly log: Logger
}

/** Works on the batches of one gate, a few lines at a time. */
export interface BatchWork {
  wake(): void
  /** What had no money or no room is tried again. */
  houseChanged(): void
  /** Begins no line any more. Those that are being asked are in flight, and end with it. */
  stop(): Promise<void>
  /** Resolves once what became of every line is written down. */
  settled(): Promise<void>
}

/** Milliseconds after which it looks again: at hours, windows, keys, and what the operator has cancelled. */
const lookEvery = 2_000
const writeAgainIn = 1_000

export function workOnBatches(deps: WorkDeps): BatchWork {
  const { database, files, lines, sessions, inFlight, settings, timezone, clock, log } = deps
  const pauses = createPauses()
  const asking = new Set<Promise<void>>()
  let checking: { readonly batch: string; readonly done: Promise<void> } | undefined
  let turn: Promise<void> = Promise.resolve()
  let [isWoken, isStopped, isDue] = [false, false, false]
  let timer: NodeJS.Timeout | undefined

  /** Something may have to be begun, checked or ended. */
  function wake(): void {
    isDue = true
    goOnSoon()
  }

  function goOnSoon(): void {
    if (isWoken || isStopped) return
    isWoken = true
    turn = turn.then(async () => {
      isWoken = false
      const isOpen = await goOn().catch((error: unknown) => {
        log.warn({ err: error }, 'batches could not be worked on; this is tried again')
        return true
      })
      if (isOpen && !isStopped) timer ??= setTimeout(lookAgain, lookEvery)
    })
  }

  function lookAgain(): void {
    timer = undefined
    wake()
  }

  /** False: there is nothing to wait for. */
  async function goOn(): Promise<boolean> {
    while (!isStopped && asking.size < settings().concurrent && isWithin(settings().hours, clock.now(), timezone())) {
      const line = await lines.take(clock.now(), pauses.at(clock.now().getTime()))
      if (!line) break
      hold(ask(line))
    }
    if (isStopped || (!isDue && asking.size >= settings().concurrent)) return true
    isDue = false
    const open = await lines.open(clock.now())
    for (const batch of open) await look(batch)
    return open.length > 0
  }

  async function look(batch: OpenBatch): Promise<void> {
    const { id, state, keyEnded, isOver, isDone, isAsking } = batch
    const isChecked = checking?.batch === id
    if (keyEnded && state !== 'cancelling' && state !== 'finalizing') return stopForKey(id)
    if (state === 'validating' && !isOver) return check(batch)
    const hasEnded = state === 'finalizing' || state === 'cancelling' || isOver || isDone
    if (!hasEnded || isAsking || isChecked) return
    const final = await closeBatch(database, id, clock.now())
    pauses.forget(id)
    if (final) log.info({ batch: id, state: final }, 'a batch has ended')
  }

  function check({ id, inputFile, endpoint }: OpenBatch): void {
    if (checking) return
    const done = checkFile(files.input(inputFile), endpoint, (some) => (isStopped ? Promise.reject(new Error('the gate stops')) : lines.add(id, some)))
      .then((checked) => ('errors' in checked ? lines.stop(id, checked.errors, clock.now()) : lines.begin(id, checked, clock.now())))
      .catch((error: unknown) => void (isStopped || log.warn({ err: error, batch: id }, 'a batch could not be checked; this is tried again')))
      .finally(() => {
        checking = undefined
        wake()
      })
    checking = { batch: id, done }
  }

  function stopForKey(batch: string): Promise<void> {
    wake()
    return lines.stop(batch, [{ code: 'key_ended', message: 'the key of this batch was revoked, or its time is over', line: null, param: null }], clock.now())
  }

  function hold(work: Promise<void>): void {
    const held = work
      .catch((error: unknown) => log.error({ err: error }, 'a line of a batch is left as being asked until the next start'))
      .finally(() => {
        asking.delete(held)
        goOnSoon()
      })
    asking.add(held)
  }

  async function ask(line: TakenLine): Promise<void> {
    const write = await inFlight.track(() => {}, (signal) => answerTo(line, signal))
    faultPoint('batch.line:after')
    // whoever cannot write leaves the line as being asked: the next start asks it again
    for (;;) {
      const error = await write().then(() => undefined, (failure: unknown) => failure)
      if (error === undefined) return
      log.warn({ err: error, batch: line.batch }, 'what became of a line could not be written down')
      if (isStopped) return
      await new Promise((resolve) => setTimeout(resolve, writeAgainIn))
    }
  }

  async function end(line: TakenLine, state: 'answered' | 'failed', report: string): Promise<void> {
    if (await lines.end(line, state, report)) isDue = true
  }

  /** Asks, and says how what came of it is written down. */
  async function answerTo(line: TakenLine, signal: AbortSignal): Promise<() => Promise<void>> {
    const putBack = () => lines.putBack(line)
    faultPoint('batch.line:before')
    try {
      const session = await sessions.find(line.keyHash)
      if (!session?.client) return async () => (await stopForKey(line.batch), await putBack())
      if (!line.body) throw new Error('the file of this batch is gone')
      const { body } = checkLine(line.body, line.endpoint)
      const answer = answerLine(line, await askLine(deps, line.endpoint, body, { session: { ...session, batch: line.batch }, task: line.task ?? undefined, atLeast: line.level > session.label.level ? line.level : undefined, signal }))
      pauses.end(line)
      return () => end(line, 'answered', answer)
    } catch (error) {
      // the gate stops: the next one asks
      if (signal.aborted) return putBack
      if (toFault(error).code === 'session_unknown') return async () => (await stopForKey(line.batch), await putBack())
      const seconds = askAgainIn(error)
      if (seconds !== undefined) {
        pauses.pause(line, seconds, clock.now().getTime())
        return putBack
      }
      // what the error says may be of what was asked, and a log has no label
      log.info({ code: toFault(error).code, batch: line.batch, line: line.number }, 'a line of a batch has failed')
      const report = errorLine(line, error)
      return () => end(line, 'failed', report)
    }
  }

  return {
    wake,
    houseChanged() {
      pauses.forget()
      wake()
    },
    async stop() {
      isStopped = true
      clearTimeout(timer)
      await turn
    },
    async settled() {
      await checking?.done
      await Promise.all(asking)
    },
  }
}
