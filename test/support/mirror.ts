import type { TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { pino } from 'pino'
import { createImapMailbox } from '../../src/channels/mail/imap-mailbox.ts'
import { mirrorLimits, type MirrorLimits } from '../../src/channels/mail/imap-limits.ts'
import type { Mailbox } from '../../src/channels/mail/mailbox.ts'
import type { ImapAccount } from '../../src/house/index.ts'
import { createEntrance } from '../../src/imap/index.ts'
import { createManualClock } from '../../src/kernel/clock.ts'
import { testDatabase, type TestDatabase } from './database.ts'

export const plainAccount = {
  name: 'sample', kind: 'imap', host: '127.0.0.1', security: 'none', user: 'operator', password: { secret: 'mail' }, folders: ['INBOX'],
  label: { level: 2, integrity: 'untrusted', lanes: ['private'] },
} as const satisfies Omit<ImapAccount, 'port'>

export interface TestMirror {
  readonly database: TestDatabase
  readonly clock: ReturnType<typeof createManualClock>
  readonly mailbox: Mailbox
  /** For whoever brings the database along, and lets it go before the test ends. */
  close(): Promise<void>
  /** Another mailbox on the same database, as after a restart. */
  reopen(changes?: Partial<MirrorOptions>): Mailbox
  stored(): Promise<StoredMessage[]>
  /** Row of the table `mailbox`. */
  position(folder?: string): Promise<{ uidvalidity: number; uid: number; messages: number; state: string; problem: string | null }>
}

export interface StoredMessage {
  readonly id: string
  readonly account: string
  readonly folder: string
  readonly uid: string
  readonly body: Buffer
  readonly label_level: number
  readonly label_lanes: string[]
}

export interface MirrorOptions {
  readonly account: ImapAccount
  readonly password: string
  readonly folder?: string
  readonly limits?: Partial<MirrorLimits>
  readonly database?: TestDatabase
}

/** The mirror of a folder on a database of its own, with a clock that stands still. It scans when it is told to, and whenever it has news. */
export async function testMirror(t: TestContext, options: MirrorOptions): Promise<TestMirror> {
  const mailboxes: Mailbox[] = []
  let scanning: Promise<unknown> = Promise.resolve()
  const close = async () => {
    await Promise.all(mailboxes.map((mailbox) => mailbox.close()))
    await scanning
  }
  // first, so that it comes before the database goes
  t.after(close)
  const database = options.database ?? (await testDatabase(t))
  const clock = createManualClock(new Date('2026-03-02T09:00:00.000Z'))
  const open = ({ account, password, folder = 'INBOX', limits }: MirrorOptions) => {
    const deps = {
      database: database.as('castellan_releaser'), clock, log: pino({ level: 'silent' }), retryMs: (failures: number) => failures * 1_000,
      limits: { ...mirrorLimits, ...limits },
      onNews: (one: Mailbox) => void (scanning = scanning.then(() => one.scan())),
    }
    const mailbox = createImapMailbox(deps, createEntrance(clock, account, password), folder)
    mailboxes.push(mailbox)
    // as the releaser does: never two scans at a time
    return { ...mailbox, scan: () => (scanning = scanning.then(() => mailbox.scan())) as Promise<number> }
  }
  return {
    database, clock, close,
    mailbox: open(options),
    reopen: (changes = {}) => open({ ...options, ...changes }),
    stored: async () => (await database.owner.pool.query<StoredMessage>(
      `select m.id, account, folder, uid, c.body, m.label_level, m.label_lanes from mail_message m join content c on c.hash = m.raw_hash order by account, folder, length(uid), uid`,
    )).rows,
    position: async (folder = 'INBOX') => (await database.owner.pool.query('select uidvalidity, uid, messages, state, problem from mailbox where folder = $1', [folder])).rows[0],
  }
}

/** Asks again until the answer is there; mail comes on its own time. */
export async function eventually<T>(ask: () => Promise<T | undefined | false>, what: string): Promise<T> {
  for (const deadline = performance.now() + 20_000; performance.now() < deadline; await turn()) {
    const answer = await ask()
    if (answer) return answer
  }
  throw new Error(`it did not happen in time: ${what}`)
}
