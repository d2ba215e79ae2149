import { randomBytes } from 'node:crypto'
import type { Clock } from '../kernel/clock.ts'
import { Fault } from '../kernel/fault.ts'
import { digest } from './one-use.ts'

export interface Bearer {
  /** The session key that the page signs with. */
  readonly keyId: string
  readonly until: Date
}

/** What the page shows with each request, and only as a hash in memory here: a restart asks the session key again. */
export interface Tokens {
  issue(bearer: Bearer): string
  /** @throws Fault `session.missing`, `session.over` */
  find(authorization: string | undefined): Bearer
  endAll(keyId: string): void
}

const most = 200

export function createTokens(clock: Clock): Tokens {
  const held = new Map<string, Bearer>()
  return {
    issue(bearer) {
      const now = clock.now()
      for (const [hash, { until }] of held) if (until <= now || held.size >= most) held.delete(hash)
      const token = randomBytes(32).toString('base64url')
      held.set(digest(token), bearer)
      return token
    },
    find(authorization) {
      const token = /^Bearer ([\w-]{43})$/.exec(authorization ?? '')?.[1]
      if (token === undefined) throw new Fault('refused', 'session.missing', 'this needs a session: open one with your passkey')
      const bearer = held.get(digest(token))
      if (bearer === undefined || clock.now() >= bearer.until) throw new Fault('refused', 'session.over', 'this session is over; come back with its key, or open a new one with your passkey')
      return bearer
    },
    endAll(keyId) {
      for (const [hash, bearer] of held) if (bearer.keyId === keyId) held.delete(hash)
    },
  }
}
