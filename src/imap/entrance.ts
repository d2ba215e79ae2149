import type { ImapFlow } from 'imapflow'
import type { Clock } from '../kernel/clock.ts'
import { Fault, toFault } from '../kernel/fault.ts'
import type { ImapAccount } from '../house/index.ts'
import { openImap, type ImapLimits, type ImapSessionOptions } from './open-imap.ts'

/** The one way into an account, for all who have business there. */
export interface Entrance {
  readonly account: ImapAccount
  /** @throws Fault as `openImap`; besides `imap.password` when there is none */
  enter(limits: ImapLimits, options?: ImapSessionOptions): Promise<ImapFlow>
}

/** A password that was refused is not shown again for so long: servers lock out who insists. In milliseconds. */
const refusalMs = 30 * 60_000

/** Sessions are opened one after the other; when a password was refused, the next are refused here, and the server is left alone. */
export function createEntrance(clock: Clock, account: ImapAccount, password: string | undefined): Entrance {
  let last: Promise<unknown> = Promise.resolve()
  let refusal: { fault: Fault; until: number } | undefined

  async function open(limits: ImapLimits, options?: ImapSessionOptions): Promise<ImapFlow> {
    if (password === undefined || password === '') {
      const { secret } = account.password
      throw new Fault('missing', 'imap.password', `the mail account ${account.name} has no password: put it into $CASTELLAN_HOME/secrets/${secret} (mode 0600) and start Castellan again`)
    }
    if (refusal && clock.now().getTime() < refusal.until) throw refusal.fault
    try {
      const client = await openImap(account, password, limits, options)
      refusal = undefined
      return client
    } catch (error) {
      const fault = toFault(error)
      if (fault.code === 'imap.credentials') refusal = { fault, until: clock.now().getTime() + refusalMs }
      throw fault
    }
  }

  return {
    account,
    enter(limits, options) {
      const opening = last.then(() => open(limits, options))
      last = opening.catch(() => {})
      return opening
    },
  }
}
