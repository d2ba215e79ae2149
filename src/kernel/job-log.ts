import { appendFile, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { redactByKey, redactByValue } from './redact.ts'

export interface JobLogOptions {
  /** A process's own folder; the files are in `jobs` in it. */
  readonly folder: string
  /** Told once of a disk that takes nothing, and again when it had taken something in between. */
  readonly onFailure: (error: Error) => void
  /** A file that would grow beyond this is put aside as `.1`, over the one before. In bytes. */
  readonly limit?: number
}

/** A line as it is written: when, how bad, what; and what else there is to say. */
export interface JobLogLine {
  readonly at: string
  readonly level: string
  readonly message: string
  readonly fields?: Readonly<Record<string, unknown>>
  readonly [more: string]: unknown
}

export interface JobLog {
  /** Takes the lines and returns; they are written when the disk has time, and dropped when it takes nothing. */
  write(job: string, lines: readonly JobLogLine[]): void
  /** Removes lines that were logged before. */
  prune(before: Date): Promise<void>
  /** Resolves once everything is written that was handed over so far, or given up. */
  settled(): Promise<void>
}

const longestLine = 64 * 1024
const longestMessage = 8 * 1024
/** More than this is never held in memory for a slow disk, in characters. */
const mostWaiting = 4 * 1024 * 1024

/** A file of JSON lines for each job, for `tail -f` and for what reads logs. Never waits, never throws; secrets are redacted. */
export function createJobLog({ folder, onFailure, limit = 10 * 1024 * 1024 }: JobLogOptions): JobLog {
  /** The last thing that is being done to a file; they come one after the other. */
  const tails = new Map<string, Promise<void>>()
  let waiting = 0
  let failed = false

  function enqueue(path: string, work: () => Promise<void>): Promise<void> {
    const done = (tails.get(path) ?? Promise.resolve()).then(work).then(() => void (failed = false), fail)
      .finally(() => tails.get(path) === done && tails.delete(path))
    tails.set(path, done)
    return done
  }

  function fail(error: Error): void {
    if (!failed) onFailure(error)
    failed = true
  }

  async function append(path: string, text: string): Promise<void> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    const size = await stat(path).then((found) => found.size, () => 0)
    if (size > 0 && size + Buffer.byteLength(text) > limit) await rename(path, `${path}.1`)
    await appendFile(path, text, { mode: 0o600 })
  }

  return {
    write(job, lines) {
      if (lines.length === 0) return
      let text: string
      try {
        text = lines.map(lineText).join('')
      } catch (error) {
        return fail(error as Error) // a field that is not JSON
      }
      if (waiting + text.length > mostWaiting) return fail(new Error(`the log of job ${job} comes faster than the disk takes it; lines were dropped`))
      waiting += text.length
      const path = jobLogFile(folder, job)
      void enqueue(path, () => append(path, text)).then(() => (waiting -= text.length))
    },
    async prune(before) {
      const jobs = join(folder, 'jobs')
      const names = await readdir(jobs).catch(() => [])
      const files = names.filter((name) => /\.jsonl(\.1)?$/.test(name)).map((name) => join(jobs, name))
      await Promise.all(files.map((file) => enqueue(file.replace(/\.1$/, ''), () => pruneFile(file, before.toISOString()))))
    },
    async settled() {
      await Promise.all(tails.values())
    },
  }
}

/** A job's name comes from a file name, but not every file name makes a safe one. */
function jobLogFile(folder: string, job: string): string {
  return join(folder, 'jobs', `${job.replace(/[^\w-]/g, '_')}.jsonl`)
}

function lineText(line: JobLogLine): string {
  const text = JSON.stringify(redactByKey(line))
  if (text.length <= longestLine) return `${redactByValue(text)}\n`
  const { at, level, job, run, step, label, message } = line
  return `${redactByValue(JSON.stringify({ at, level, job, run, step, label, message: message.slice(0, longestMessage), cut: true }))}\n`
}

/** Lines stand in the order of their time, so what is too old is at the beginning. A line that a crash tore goes with them. */
async function pruneFile(file: string, before: string): Promise<void> {
  const text = await readFile(file, 'utf8')
  let from = 0
  for (let end; (end = text.indexOf('\n', from)) >= 0 && !(timeOf(text.slice(from, end)) >= before); ) from = end + 1
  if (from === 0) return
  if (from === text.length) return rm(file)
  await writeFile(`${file}.new`, text.slice(from), { mode: 0o600 })
  await rename(`${file}.new`, file)
}

function timeOf(line: string): string {
  try {
    return (JSON.parse(line) as JobLogLine).at
  } catch {
    return ''
  }
}
