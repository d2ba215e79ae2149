import type { Clock } from '../kernel/clock.ts'
import type { Database } from '../kernel/database/connect.ts'
import type { Logger } from '../kernel/log.ts'
import { openMailboxes, type Mailbox, type MailboxProblem, type MailboxStatus } from '../channels/index.ts'
import type { ImapAccount, MailAccount } from '../house/index.ts'
import { createEntrance, type Entrance } from '../imap/index.ts'
import { startLoop, type Loop } from './loop.ts'

export interface MailboxesDeps {
  /** As the releaser. */
  readonly database: Database
  readonly clock: Clock
  readonly log: Logger
  readonly secrets: Readonly<Record<string, string>>
  /** The processes share one user, who could read every password here. */
  readonly demonstration: boolean
  /** A session that this one has to be told of: another releaser took over. */
  onError?(error: unknown): void
}

export interface Mailboxes {
  /** Opens what is new or changed, closes what is gone; what stayed the same goes on. */
  declare(accounts: readonly MailAccount[], accepted: boolean): void
  entranceOf(account: ImapAccount): Entrance
  problems(): MailboxProblem[]
  statuses(): MailboxStatus[]
  close(): Promise<void>
}

interface Kept {
  readonly mailbox: Mailbox
  readonly loop: Loop
}

const demonstration = 'refuses while all processes share one user: start Castellan as root, or accept it with isolation.accept_demonstration in castellan.yaml'

/** The mailboxes of the house, each scanned on its own time, so that a slow server keeps no other mail waiting. */
export function createMailboxes(deps: MailboxesDeps): Mailboxes {
  const kept = new Map<string, Kept[]>()
  const entrances = new Map<string, Entrance>()
  const leaving = new Set<Promise<unknown>>()

  function entranceOf(account: ImapAccount): Entrance {
    const key = JSON.stringify(account)
    const entrance = entrances.get(key) ?? createEntrance(deps.clock, account, deps.secrets[account.password.secret])
    entrances.set(key, entrance)
    return entrance
  }

  function open(account: MailAccount, refusal: string | undefined): Kept[] {
    const loops = new Map<Mailbox, Loop>()
    const onNews = (mailbox: Mailbox) => loops.get(mailbox)?.wake()
    return openMailboxes({ ...deps, refusal, entranceOf, onNews }, account).map((mailbox) => {
      const loop = startLoop(`the mailbox ${account.name}`, deps.log, async () => {
        await mailbox.scan()
        return mailbox.pauseMs()
      }, deps.onError)
      loops.set(mailbox, loop)
      return { mailbox, loop }
    })
  }

  function leave(gone: readonly Kept[]): void {
    for (const { mailbox, loop } of gone) {
      const left = mailbox.close().then(() => loop.stop()).finally(() => leaving.delete(left))
      leaving.add(left)
    }
  }

  return {
    entranceOf,
    declare(accounts, accepted) {
      const refusal = deps.demonstration && !accepted ? demonstration : undefined
      const declared = new Map(accounts.map((account) => [JSON.stringify([account, account.kind === 'imap' ? refusal : undefined]), account]))
      for (const [key, gone] of kept) {
        if (declared.has(key)) continue
        kept.delete(key)
        leave(gone)
      }
      for (const [key, account] of declared) {
        if (!kept.has(key)) kept.set(key, open(account, refusal))
      }
    },
    problems: () => [...kept.values()].flat().flatMap(({ mailbox }) => [...mailbox.problems()]),
    statuses: () => [...kept.values()].flat().map(({ mailbox }) => mailbox.status()),
    async close() {
      leave([...kept.values()].flat())
      kept.clear()
      await Promise.all(leaving)
    },
  }
}
