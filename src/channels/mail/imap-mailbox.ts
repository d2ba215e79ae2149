import type { ImapFlow } from 'imapflow'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/database/connect.ts'
import { Fault } from '../../kernel/fault.ts'
import type { Logger } from '../../kernel/log.ts'
import { imapFault, mayPass, type Entrance } from '../../imap/index.ts'
import { mirrorLimits, type MirrorLimits } from './imap-limits.ts'
import { auditRefusal } from './mail-store.ts'
import type { Mailbox, MailboxProblem, MailboxStatus } from './mailbox.ts'
import { mirrorFolder, type Caution } from './mirror-folder.ts'
import { createMirrorStore, type Refused } from './mirror-store.ts'

export interface ImapMailboxDeps {
  /** As the releaser. */
  readonly database: Database
  readonly clock: Clock
  readonly log: Logger
  /** Something is there to be scanned for, or to be put right: called at any time. */
  onNews(mailbox: Mailbox): void
  readonly limits?: MirrorLimits
  /** How long to wait after so many failures in a row, in milliseconds. */
  readonly retryMs?: (failures: number) => number
}

/** A connection that waits for news is looked through at least so often, in milliseconds. */
const lookMs = 10 * 60_000
/** What only the operator can mend is tried again so often, in milliseconds. */
const refusedMs = 30 * 60_000
/** A session that ends earlier counts as one that failed, in milliseconds. */
const shortSessionMs = 60_000
/** A message that breaks the connection this many times, asked for alone, is left out. */
const strikes = 6

/** Later and later, up to five minutes, and never in step with others who lost the same server. */
export function retryWithJitter(failures: number): number {
  return Math.min(5 * 60_000, 1_000 * 2 ** Math.min(failures - 1, 10)) * (0.5 + Math.random() / 2)
}

/**
 * The mirror of one folder on a mail server, over a connection of its own that waits for news. Bytes are stored as they are,
 * under the account's label: nothing here reads what a stranger wrote, and nothing on the server is changed.
 */
export function createImapMailbox(deps: ImapMailboxDeps, entrance: Entrance, folder: string): Mailbox {
  const { database, clock, log, limits = mirrorLimits, retryMs = retryWithJitter } = deps
  const { account } = entrance
  const store = createMirrorStore(database, account, folder)
  const caution: Caution = { inFlight: [], singlyUpTo: 0, unreadable: new Map() }
  const refused = new Map<string, string>()
  const broken = new Map<number, number>()
  let client: ImapFlow | undefined
  let lost: Error | undefined
  let failures = 0
  let notBefore = 0
  let stored = 0
  let shortSessions = 0
  const closing = new AbortController()
  const { signal } = closing
  let now: Pick<MailboxStatus, 'state' | 'since' | 'problem'> = { state: 'connecting', since: clock.now(), problem: null }

  async function become(state: MailboxStatus['state'], problem: string | null = null): Promise<void> {
    if (now.state === state && now.problem === problem && state !== 'connecting') return
    now = { state, since: clock.now(), problem }
    await store.recordState(now)
  }

  async function scan(): Promise<number> {
    if (signal.aborted) return 0
    if (clock.now().getTime() < notBefore) {
      if (now.state === 'watching' && client === undefined) await become('failing', `the mail server of the account ${account.name} ended the session; it is entered again in a moment`)
      return 0
    }
    const before = stored
    try {
      const session = await connected()
      await become('mirroring')
      await mirrorFolder({
        client: session, folder, limits, caution, refuse,
        store: { ...store, store: counted(store.store), storePieces: counted(store.storePieces) },
        onAnew: () => {
          log.warn({ account: account.name, folder }, 'the server has named its messages anew; all of them are looked at again')
          refused.clear()
          caution.unreadable.clear()
        },
        onKnownRefusals: (known) => known.forEach(({ uid, reason }) => refused.set(uid, reason)),
      })
      if (client !== session) throw lost ?? new Error('the connection was closed')
      failures = 0
      notBefore = 0
      await become('watching')
    } catch (error) {
      await fail(error, stored > before)
    }
    return stored - before
  }

  /** What was stored counts also when the round breaks off after it. */
  function counted<A extends unknown[]>(work: (...input: A) => Promise<number>): (...input: A) => Promise<number> {
    return async (...input) => {
      const fresh = await work(...input)
      stored += fresh
      return fresh
    }
  }

  async function connected(): Promise<ImapFlow> {
    if (client?.usable) return client
    leave()
    await become('connecting', now.problem)
    lost = undefined
    const opened = await entrance.enter(limits, { signal, onError: (error) => void (lost ??= error) })
    const since = clock.now().getTime()
    opened.on('exists', () => deps.onNews(mailbox))
    opened.on('close', () => {
      if (client !== opened) return
      client = undefined
      // a server that lets one in and shows one out at once is not to be run against
      const at = clock.now().getTime()
      shortSessions = at - since < shortSessionMs ? shortSessions + 1 : 1
      notBefore = at + retryMs(shortSessions)
      deps.onNews(mailbox)
    })
    return (client = opened)
  }

  async function fail(error: unknown, progressed: boolean): Promise<void> {
    leave()
    if (signal.aborted) return
    const fault = faultOf(lost ?? error)
    suspect(fault)
    failures = progressed ? 1 : failures + 1
    notBefore = clock.now().getTime() + (mayPass(fault) || fault.code === 'imap.literal' ? retryMs(failures) : refusedMs)
    if (now.problem !== fault.message) log.warn({ account: account.name, folder, err: fault }, 'a mailbox cannot be read')
    await become(mayPass(fault) || fault.code === 'imap.literal' ? 'failing' : 'refused', fault.code === 'imap.folder' ? missingFolder() : fault.message)
  }

  function faultOf(error: unknown): Fault {
    // an error of PostgreSQL has a severity; what a server or a socket says has none
    if (!(error instanceof Error && 'severity' in error)) return imapFault(account, error)
    return new Fault('unavailable', 'mail.store', `messages of the mail account ${account.name} could not be stored: ${error.message}`, {}, error)
  }

  /** Narrows down which message breaks the connection: of many none is blamed, one that was asked for alone is, in the end. */
  function suspect({ code }: Fault): void {
    const [first, ...others] = caution.inFlight
    caution.inFlight = []
    if (first === undefined) return
    if (others.length > 0) {
      caution.singlyUpTo = others.at(-1)!
      return
    }
    const times = (broken.get(first) ?? 0) + 1
    broken.set(first, times)
    if (code === 'imap.literal') caution.unreadable.set(first, 'the server sends more bytes for it than were asked for')
    else if (times >= strikes) caution.unreadable.set(first, `the connection broke ${times} times while it was fetched`)
  }

  async function refuse(uid: number, reason: string): Promise<void> {
    await auditRefusal(database, account, `${folder}/${uid}`, reason)
    log.warn({ account: account.name, folder, uid, reason }, 'a message was not taken in')
    refused.set(String(uid), reason)
    await store.recordRefused([...refused].map(([key, why]): Refused => ({ uid: key, reason: why })))
  }

  function missingFolder(): string {
    return `the mail account ${account.name} has no folder ${folder}: correct mail.accounts.${account.name}.folders, as the server writes it`
  }

  function leave(): void {
    const leaving = client
    client = undefined
    leaving?.close()
  }

  const mailbox: Mailbox = {
    scan,
    pauseMs: () => Math.max(0, notBefore === 0 ? lookMs : notBefore - clock.now().getTime()),
    problems: () => [
      ...(now.problem === null ? [] : [{ account: account.name, uid: null, reason: now.problem }]),
      ...[...refused].map(([uid, reason]): MailboxProblem => ({ account: account.name, uid: `${folder}/${uid}`, reason })),
    ],
    status: () => ({ account: account.name, kind: 'imap', folder, stored, ...now }),
    async close() {
      closing.abort()
      leave()
    },
  }
  return mailbox
}
