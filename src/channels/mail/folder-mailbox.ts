import { constants, type BigIntStats } from 'node:fs'
import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/database/connect.ts'
import { faultPoint } from '../../kernel/fault-point.ts'
import { newId } from '../../kernel/ids.ts'
import type { Logger } from '../../kernel/log.ts'
import type { FolderAccount } from '../../house/index.ts'
import { auditRefusal, knownUids, storeMessage } from './mail-store.ts'
import { largestMessage, type Mailbox, type MailboxProblem } from './mailbox.ts'

export interface FolderMailboxDeps {
  /** As the releaser. */
  readonly database: Database
  readonly clock: Clock
  readonly log: Logger
}

/** How often it looks whether the folder changed, in milliseconds. */
const lookMs = 3_000

/** A file younger than this may still be written; by the clock of the file system, in milliseconds. */
const settledMs = 1_000

/**
 * The mailbox that is a folder of `*.eml` files. Bytes are stored as they are, under the account's label: nothing here
 * reads what a stranger wrote. A file is one message for ever, known by its name. A scan looks into the folder only when it
 * changed since the last.
 */
export function createFolderMailbox(deps: FolderMailboxDeps, account: FolderAccount): Mailbox {
  const opened = deps.clock.now()
  let settled: bigint | undefined
  let total = 0
  const problems = new Map<string, MailboxProblem>()

  async function scan(): Promise<number> {
    let folder: BigIntStats
    let names: string[]
    try {
      folder = await stat(account.path, { bigint: true })
      if (folder.mtimeNs === settled) return 0
      names = (await readdir(account.path)).filter((name) => name.toLowerCase().endsWith('.eml'))
    } catch (error) {
      report('', { account: account.name, uid: null, reason: `${account.path} cannot be read: ${(error as Error).message}` })
      return 0
    }
    for (const key of problems.keys()) if (!names.includes(key)) problems.delete(key)
    const known = await knownUids(deps.database.pool, account.name, names)
    let stored = 0
    let later = isFresh(deps.clock, Number(folder.mtimeMs))
    for (const uid of names.sort()) {
      if (known.has(uid)) continue
      const outcome = await take(uid)
      if (outcome === 'stored') stored += 1
      if (outcome === 'later') later = true
    }
    settled = later ? undefined : folder.mtimeNs
    total += stored
    return stored
  }

  async function take(uid: string): Promise<'stored' | 'known' | 'refused' | 'later'> {
    let read: Buffer | 'later' | Refusal
    let receivedAt: Date
    try {
      ;({ read, receivedAt } = await readSettled(deps.clock, join(account.path, uid)))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'known' // taken away between listing and reading
      ;({ read, receivedAt } = { read: refusalOf(error), receivedAt: deps.clock.now() })
    }
    if (read === 'later') return 'later'
    if (!Buffer.isBuffer(read)) return refuse(uid, read)
    faultPoint('mail.store:before')
    const fresh = await storeMessage(deps.database, { id: newId(), account, uid, raw: read, receivedAt })
    faultPoint('mail.store:after')
    problems.delete(uid)
    return fresh ? 'stored' : 'known'
  }

  async function refuse(uid: string, { reason, passing }: Refusal): Promise<'refused' | 'later'> {
    if (!problems.has(uid)) await auditRefusal(deps.database, account, uid, reason)
    report(uid, { account: account.name, uid, reason })
    return passing ? 'later' : 'refused'
  }

  function report(key: string, problem: MailboxProblem): void {
    if (problems.get(key)?.reason !== problem.reason) deps.log.warn(problem, 'a message was not taken in')
    problems.set(key, problem)
  }

  return {
    scan,
    pauseMs: () => lookMs,
    problems: () => [...problems.values()],
    status() {
      const problem = problems.get('')?.reason ?? null
      return { account: account.name, kind: 'folder', folder: account.path, state: problem === null ? 'watching' : 'failing', since: opened, stored: total, problem }
    },
    async close() {},
  }
}

interface Refusal {
  readonly reason: string
  /** May it be otherwise next time, without the folder changing? */
  readonly passing: boolean
}

function refusalOf(error: unknown): Refusal {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ELOOP') return { reason: 'it is a link; put the file itself into the folder', passing: false }
  return { reason: `it cannot be read: ${message}`, passing: true }
}

async function readSettled(clock: Clock, path: string): Promise<{ read: Buffer | 'later' | Refusal; receivedAt: Date }> {
  // a link would make the releaser read any file that it may read; opening a pipe would wait for a writer
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const { size, mtime, mtimeMs, isFile } = await describe(file)
    const answer = (read: Buffer | 'later' | Refusal) => ({ read, receivedAt: mtime })
    if (!isFile) return answer({ reason: 'it is not a regular file', passing: false })
    if (isFresh(clock, mtimeMs)) return answer('later')
    if (size > largestMessage) return answer({ reason: `it has ${size} bytes, more than the ${largestMessage} that a message may have`, passing: false })
    const raw = await file.readFile()
    // it grew while it was read
    return answer(raw.length === size ? raw : 'later')
  } finally {
    await file.close()
  }
}

async function describe(file: Awaited<ReturnType<typeof open>>) {
  const stats = await file.stat()
  return { size: stats.size, mtime: stats.mtime, mtimeMs: stats.mtimeMs, isFile: stats.isFile() }
}

/** Changed in the last moment. What the file system dates into the future does not count, or it would never settle. */
function isFresh(clock: Clock, mtimeMs: number): boolean {
  const age = clock.now().getTime() - mtimeMs
  return age >= 0 && age < settledMs
}
