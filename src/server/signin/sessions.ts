import { createHmac, randomBytes } from 'node:crypto'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/database/connect.ts'
import { Fault } from '../../kernel/fault.ts'
import { newId } from '../../kernel/ids.ts'
import type { SessionLine, SigninLink } from '../api.ts'
import { dashboardSubject } from '../read/alerts.ts'
import { createFailures, mostFailures } from './failures.ts'
import type { NamesDeps } from './own-names.ts'
import * as store from './session-store.ts'

const minute = 60_000
const linkMs = 10 * minute
const sessionMs = 30 * 24 * 60 * minute
/** A session that is used is prolonged, but its row is written no more often than that. */
const touchMs = 60 * minute
const longestName = 200

export const sessionSeconds = sessionMs / 1000

export interface Sessions {
  /** A link that signs a browser in, once. */
  makeLink(): Promise<SigninLink>
  /** @throws Fault `signin.refused`, `signin.locked` */
  signIn(code: string, browser: string): Promise<{ id: string; token: string }>
  /** Whose token this is; `prolonged` when the browser should be told that it is good for longer now. */
  find(token: string): Promise<{ id: string; prolonged: boolean } | undefined>
  isOpen(id: string): Promise<boolean>
  list(): Promise<SessionLine[]>
  /** @throws Fault `session.unknown` */
  close(id: string): Promise<void>
}

/** Who may ask the server through a browser: let in by a link of the operator's, remembered by the hash of a token. */
export function createSessions({ database, clock, origin, exposed = () => null }: { database: Database; clock: Clock } & NamesDeps): Sessions {
  const failures = createFailures(clock)
  const later = (milliseconds: number) => new Date(clock.now().getTime() + milliseconds)
  return {
    async makeLink() {
      const code = randomBytes(16).toString('base64url')
      const expiresAt = later(linkMs)
      await store.keepCode(database, code, clock.now(), expiresAt)
      const elsewhere = exposed()
      return { url: `${origin()}/#signin=${code}`, exposed_url: elsewhere ? `${elsewhere.origin}/#signin=${code}` : null, expires_at: expiresAt.toISOString() }
    },
    async signIn(code, browser) {
      const wait = failures.lockedFor()
      if (wait > 0) throw locked(wait)
      const session = { id: newId(clock.now().getTime()), token: randomBytes(32).toString('base64url'), browser: browser.slice(0, longestName) }
      if (await store.openSession(database, code, { ...session, now: clock.now(), expiresAt: later(sessionMs) })) return session
      if (failures.count()) {
        await database.pool.query("select audit_append('signin.locked', $1, $2, 1::smallint)", [dashboardSubject, JSON.stringify({ failures: mostFailures })])
      }
      throw new Fault('refused', 'signin.refused', 'this link was used already or is too old; `castellan signin` prints another')
    },
    async find(token) {
      const found = await store.findSession(database, token, clock.now())
      if (found === undefined) return undefined
      const prolonged = clock.now().getTime() - found.seenAt.getTime() > touchMs
      if (prolonged) await store.touchSession(database, found.id, clock.now(), later(sessionMs))
      return { id: found.id, prolonged }
    },
    isOpen: (id) => store.isOpen(database, id, clock.now()),
    list: () => store.listSessions(database, clock.now()),
    async close(id) {
      if (!(await store.closeSession(database, id))) throw new Fault('missing', 'session.unknown', `there is no session "${id}"; \`castellan session list\` shows them`)
    },
  }
}

/** What a page must send along with every request that changes something: it follows from the token, which no script can read. */
export function csrfOf(token: string): string {
  return createHmac('sha256', token).update('castellan/csrf').digest('base64url')
}

function locked(milliseconds: number): Fault {
  const seconds = Math.ceil(milliseconds / 1000)
  return new Fault('refused', 'signin.locked', `signing in is locked for ${seconds} s, because ${mostFailures} wrong codes came within 5 minutes`, { seconds })
}
