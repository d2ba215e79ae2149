import { timingSafeEqual } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Clock } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/fault.ts'
import { cookieName, readCookie, setCookie } from './cookie.ts'
import { createRateLimit } from './rate-limit.ts'
import type { OwnNames } from './own-names.ts'
import { csrfOf, sessionSeconds, type Sessions } from './sessions.ts'

export interface GuardDeps {
  readonly sessions: Sessions
  readonly clock: Clock
  readonly names: Pick<OwnNames, 'originOf'>
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
  remember(request: FastifyRequest, reply: FastifyReply, token: string): void
  forget(request: FastifyRequest, reply: FastifyReply): void
}

const reading = new Set(['GET', 'HEAD'])
const nobody = 'nobody'

/** Who is let through the browser's door. The page is held against its origin with the port, the browser against its session. */
export function createBrowserGuard({ sessions, clock, names, mostRequests }: GuardDeps): BrowserGuard {
  const rate = createRateLimit(clock, mostRequests)
  const admitted = new WeakMap<FastifyRequest, { id: string; token: string }>()
  const originOf = ({ headers }: FastifyRequest) => names.originOf(headers)
  const give = (request: FastifyRequest, reply: FastifyReply, token: string, seconds: number) => void reply.header('set-cookie', setCookie(originOf(request), token, seconds))
  const remember: BrowserGuard['remember'] = (request, reply, token) => give(request, reply, token, sessionSeconds)

  function admitStranger(request: FastifyRequest): void {
    // first, so that a page elsewhere uses up nobody's turns
    mustBeOurs(request, originOf(request))
    rate(nobody)
  }

  return {
    admitStranger,
    async admit(request, reply) {
      mustBeOurs(request, originOf(request))
      const token = readCookie(request.headers.cookie, cookieName(originOf(request)))
      const session = token === undefined ? undefined : await sessions.find(token)
      rate(session?.id ?? nobody)
      if (token === undefined || session === undefined) {
        throw new Fault('refused', 'session.missing', 'this browser is not signed in; `castellan signin` prints a link that signs it in')
      }
      if (!reading.has(request.method) && !same(request.headers['x-csrf-token'], csrfOf(token))) {
        throw new Fault('refused', 'csrf.missing', 'the header x-csrf-token is not the one of this session; load the page again')
      }
      if (session.prolonged) remember(request, reply, token)
      admitted.set(request, { id: session.id, token })
    },
    sessionOf: (request) => admitted.get(request)!,
    remember,
    forget: (request, reply) => give(request, reply, '', 0),
  }
}

/**
 * Nothing that a page elsewhere sends, be it of another port of this machine. Browsers tell both and let no script change either.
 */
function mustBeOurs({ method, headers }: FastifyRequest, origin: string): void {
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
