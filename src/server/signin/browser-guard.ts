import { timingSafeEqual } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Clock } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/fault.ts'
import { cookieName, readCookie, setCookie } from './cookie.ts'
import { createRateLimit } from './rate-limit.ts'
import { csrfOf, sessionSeconds, type Sessions } from './sessions.ts'

export interface GuardDeps {
  readonly sessions: Sessions
  readonly clock: Clock
  /** Where the page comes from, e.g. `http://127.0.0.1:7400`. */
  origin(): string
  /** A minute, for one session; as many as `rate-limit.ts` says unless told otherwise. */
  readonly mostRequests?: number
}

export interface BrowserGuard {
  /** Throws unless the page that asks is ours and its session is open. */
  admit(request: FastifyRequest, reply: FastifyReply): Promise<void>
  /** For the one request that comes without a session. */
  admitStranger(request: FastifyRequest): void
  /** The session of an admitted request. */
  sessionOf(request: FastifyRequest): { id: string; token: string }
  remember(reply: FastifyReply, token: string): void
  forget(reply: FastifyReply): void
}

const reading = new Set(['GET', 'HEAD'])
const nobody = 'nobody'

/** Who is let through the browser's door. The page is held against its origin with the port, the browser against its session. */
export function createBrowserGuard({ sessions, clock, origin, mostRequests }: GuardDeps): BrowserGuard {
  const rate = createRateLimit(clock, mostRequests)
  const admitted = new WeakMap<FastifyRequest, { id: string; token: string }>()
  const name = () => cookieName(new URL(origin()).port)
  const remember = (reply: FastifyReply, token: string) => void reply.header('set-cookie', setCookie(name(), token, sessionSeconds))

  function admitStranger(request: FastifyRequest): void {
    // first, so that a page elsewhere uses up nobody's turns
    mustBeOurs(request, origin())
    rate(nobody)
  }

  return {
    admitStranger,
    async admit(request, reply) {
      mustBeOurs(request, origin())
      const token = readCookie(request.headers.cookie, name())
      const session = token === undefined ? undefined : await sessions.find(token)
      rate(session?.id ?? nobody)
      if (token === undefined || session === undefined) {
        throw new Fault('refused', 'session.missing', 'this browser is not signed in; `castellan signin` prints a link that signs it in')
      }
      if (!reading.has(request.method) && !same(request.headers['x-csrf-token'], csrfOf(token))) {
        throw new Fault('refused', 'csrf.missing', 'the header x-csrf-token is not the one of this session; load the page again')
      }
      if (session.prolonged) remember(reply, token)
      admitted.set(request, { id: session.id, token })
    },
    sessionOf: (request) => admitted.get(request)!,
    remember,
    forget: (reply) => void reply.header('set-cookie', setCookie(name(), '', 0)),
  }
}

/**
 * Exactly our host and port, for a name that was made to point here shows itself by its name (DNS rebinding); and nothing that a
 * page elsewhere sends, be it of another port of this machine. Browsers tell both and let no script change either.
 */
function mustBeOurs({ method, headers }: FastifyRequest, origin: string): void {
  if (headers.host !== new URL(origin).host) throw new Fault('refused', 'host.unknown', `this is ${origin}, and answers to nothing else`)
  const site = headers['sec-fetch-site']
  if (reading.has(method)) {
    if (site === undefined || site === 'same-origin' || site === 'none') return
  } else if (headers.origin === origin && (site === undefined || site === 'same-origin')) return
  throw new Fault('refused', 'origin.foreign', `only pages of ${origin} may ask this`)
}

function same(given: string | string[] | undefined, wanted: string): boolean {
  if (typeof given !== 'string') return false
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)]
  return a.length === b.length && timingSafeEqual(a, b)
}
