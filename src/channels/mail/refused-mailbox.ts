import type { Clock } from '../../kernel/clock.ts'
import type { ImapAccount } from '../../house/index.ts'
import type { Mailbox } from './mailbox.ts'

/** In the place of a mailbox that may not be opened: it says why, and does nothing. */
export function createRefusedMailbox(clock: Clock, { name }: ImapAccount, folder: string, reason: string): Mailbox {
  const since = clock.now()
  return {
    scan: async () => 0,
    pauseMs: () => 24 * 3_600_000,
    problems: () => [{ account: name, uid: null, reason }],
    status: () => ({ account: name, kind: 'imap', folder, state: 'refused', since, stored: 0, problem: reason }),
    async close() {},
  }
}
