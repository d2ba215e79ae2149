import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/database/connect.ts'
import type { ImapAccount } from '../../house/index.ts'
import type { Mailbox } from './mailbox.ts'
import { createMirrorStore } from './mirror-store.ts'

/** In the place of a mailbox that may not be opened: it says why, and does nothing else. */
export function createRefusedMailbox({ database, clock }: { database: Database; clock: Clock }, account: ImapAccount, folder: string, problem: string): Mailbox {
  const now = { state: 'refused', since: clock.now(), problem } as const
  return {
    async scan() {
      await createMirrorStore(database, account, folder).recordState(now)
      return 0
    },
    pauseMs: () => 24 * 3_600_000,
    problems: () => [{ account: account.name, uid: null, reason: problem }],
    status: () => ({ account: account.name, kind: 'imap', folder, stored: 0, ...now }),
    async close() {},
  }
}
