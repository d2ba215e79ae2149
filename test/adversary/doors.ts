import { randomBytes } from 'node:crypto'
import { request } from 'undici'
import { findCanary } from './canaries.ts'
import { got, stopped, type Attack, type Family, type Outcome } from './attack.ts'
import type { Field } from './field.ts'
import { ask } from './gates.ts'
import { githubHeaders } from '../support/webhooks.ts'

interface Door {
  readonly name: string
  /** With its port. */
  readonly origin: string
}

type Headers = Readonly<Record<string, string>>

/** What a page elsewhere, a name that was made to point here, or a program of another user can send. */
const ways: Readonly<Record<string, (origin: string) => Headers>> = {
  'from a page of another site': () => ({ origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }),
  'from a page without an origin': () => ({ origin: 'null' }),
  'from a page on another port of this machine': (origin) => ({ origin: origin.replace(/\d+$/, '1'), 'sec-fetch-site': 'same-site' }),
  'from a page at the same name over another scheme': (origin) => ({ origin: origin.replace('http:', 'https:') }),
  'from a name that begins like ours': (origin) => ({ origin: `${origin}.evil.example` }),
  'with no origin at all': () => ({}),
  'under a name that was made to point here': () => ({ host: 'evil.example', origin: 'http://evil.example' }),
  'under our name with another port': () => ({ host: 'localhost:1', origin: 'http://localhost:1' }),
  'under our name with a dot behind it': (origin) => ({ host: `${new URL(origin).host.replace(':', '.:')}` }),
  'as a form that needs no leave': (origin) => ({ origin, 'content-type': 'text/plain' }),
  'as a form with fields': (origin) => ({ origin, 'content-type': 'application/x-www-form-urlencoded' }),
  'as a form with files': (origin) => ({ origin, 'content-type': 'multipart/form-data; boundary=x' }),
}

/** Pages, names and sessions at the ports of the house. */
export function doors(field: Field): Family {
  const { house, operator } = field
  return {
    name: 'pages, names and sessions at its ports',
    async attacks() {
      const link = async (to: 'server' | 'releaser') => (to === 'server'
        ? (await house.call<{ url: string }>('server', 'POST', '/api/signin/link')).url
        : (await house.call<{ link: string }>('releaser', 'POST', '/enrolments', { name: 'door' })).link)
      const dashboard: Door = { name: 'the dashboard', origin: new URL(await link('server')).origin }
      const signing: Door = { name: 'the signing page', origin: new URL(await link('releaser')).origin }
      const session = await signIn(dashboard, (await link('server')).split('#signin=')[1]!)
      const [fate] = await field.propose([{ kind: 'mail', connector: 'post', payload: { to: ['eva@example.org'], subject: 'Hello', text: `SECRET WORD ${field.canaries[1]!.word}` } }], 3)
      const draft = fate!.draft!.id
      const { challenge } = await house.call<{ challenge: string }>('releaser', 'GET', `/drafts/${draft}`)
      const approval = { verdict: 'approve', challenge, key_id: operator.id, signature: operator.sign(Buffer.from(challenge, 'hex')) }
      const unsigned = async (outcome: Outcome): Promise<Outcome> => {
        const { rows: [row] } = await field.owner.pool.query<{ state: string }>('select state from draft where id = $1', [draft])
        return row!.state === 'waiting' ? outcome : got(`the draft is ${row!.state}`)
      }
      const attempt = (method: string, url: string, headers: Headers = {}, body?: unknown) => async () => unsigned(await send(field, method, url, headers, body))
      const cookie = { cookie: session.cookie }
      const own = { ...cookie, origin: dashboard.origin, 'x-csrf-token': session.csrf, 'content-type': 'application/json' }
      const job = `${dashboard.origin}/api/jobs/stolen-private/run`
      const attacks: Attack[] = []
      const add = (name: string, method: string, url: string, headers: Headers = {}, body?: unknown) => attacks.push({ name, attempt: attempt(method, url, headers, body) })

      for (const [way, headersOf] of Object.entries(ways)) {
        add(`a job is run in the operator's browser ${way}`, 'POST', job, { 'content-type': 'application/json', ...cookie, ...headersOf(dashboard.origin) }, {})
        add(`a draft is signed ${way}, at the signing page`, 'POST', `${signing.origin}/api/drafts/${draft}/decide`, { 'content-type': 'application/json', ...headersOf(signing.origin) }, approval)
        add(`a passkey is enrolled ${way}`, 'POST', `${signing.origin}/api/enrol/options`, { 'content-type': 'application/json', ...headersOf(signing.origin) }, { code: 'guessed', name: 'mine' })
      }
      for (const path of ['/api/drafts', `/api/drafts/${draft}`, '/api/runs', '/api/today', '/api/sessions', '/api/house', '/api/events']) add(`${path} of the dashboard is read without a session`, 'GET', `${dashboard.origin}${path}`)
      add('the dashboard is read with a session that was made up', 'GET', `${dashboard.origin}/api/runs`, { cookie: `${session.cookie.split('=')[0]}=${randomBytes(32).toString('base64url')}` })
      add('the dashboard is read under another name with the session', 'GET', `${dashboard.origin}/api/runs`, { ...cookie, host: 'evil.example' })
      add('the dashboard is read by a page elsewhere with the session', 'GET', `${dashboard.origin}/api/runs`, { ...cookie, 'sec-fetch-site': 'cross-site' })
      add('a job is run with the session and without its token', 'POST', job, { ...cookie, origin: dashboard.origin, 'content-type': 'application/json' }, {})
      add('a job is run with the token of another session', 'POST', job, { ...own, 'x-csrf-token': randomBytes(32).toString('base64url') }, {})
      add('a sign-in code is guessed', 'POST', `${dashboard.origin}/api/signin`, { origin: dashboard.origin, 'content-type': 'application/json' }, { code: randomBytes(16).toString('base64url') })

      // whoever stole the session of the dashboard tries to sign with it
      for (const [method, path, body] of [
        ['POST', `/api/drafts/${draft}/decide`, approval], ['POST', `/api/drafts/${draft}/approve`, approval], ['POST', `/api/drafts/${draft}/edit`, {}], ['POST', `/api/drafts/${draft}/undo`, {}], ['POST', `/api/drafts/${draft}/snooze`, { until: null }],
        ['GET', `/api/drafts/${draft}`, undefined], ['POST', '/api/signin/link', {}], ['POST', '/api/keys/enroll', {}], ['POST', '/api/enrolments', {}], ['POST', '/api/client-keys', {}], ['POST', '/api/clearances', {}], ['PUT', '/api/house', {}],
      ] as const) add(`a stolen session of the dashboard asks ${method} ${path.replace(draft, 'ID')}`, method, `${dashboard.origin}${path}`, own, body)
      for (const headers of [own, { authorization: `Bearer ${session.cookie.split('=')[1]}` }, { authorization: `Bearer ${randomBytes(32).toString('base64url')}` }, { ...cookie, authorization: `Bearer ${session.csrf}` }] as Headers[]) {
        add(`a stolen session of the dashboard signs at the signing page (${Object.keys(headers).join(', ')})`, 'POST', `${signing.origin}/api/drafts/${draft}/decide`, { 'content-type': 'application/json', ...headers, origin: signing.origin }, approval)
      }
      for (const path of ['/api/drafts', `/api/drafts/${draft}`, '/api/changes']) add(`${path.replace(draft, 'ID')} of the signing page is read without a session`, 'GET', `${signing.origin}${path}`)
      add('a session is opened with an answer that no passkey gave', 'POST', `${signing.origin}/api/session`, { origin: signing.origin, 'content-type': 'application/json' }, { session: '{}', response: { id: 'AA', rawId: 'AA', type: 'public-key', response: { clientDataJSON: 'AA', authenticatorData: 'AA', signature: 'AA' } } })
      add('a session of a key that is not there is gone on with', 'POST', `${signing.origin}/api/session/resume`, { origin: signing.origin, 'content-type': 'application/json' }, { key_id: 'session:0123456789abcdef', challenge: 'a'.repeat(64), signature: 'AAAA' })
      for (const path of ['/..%2f..%2f..%2fetc%2fpasswd', '/assets/..%2f..%2fpackage.json', '/assets/%2e%2e/%2e%2e/package.json', '/keys', '/audit/verify', '/client-keys', '/enrolments']) add(`${path} is asked of the signing page`, 'GET', `${signing.origin}${path}`)
      for (const [gate, path] of [['gate-local', '/v1/models'], ['gate-cloud', '/v1/models'], ['gate-cloud', '/status']] as const) {
        const address = await addressOf(field, gate)
        add(`${path} of ${gate} is asked under a name that was made to point here`, 'GET', `${address}${path}`, { host: 'evil.example' })
        add(`${path} of ${gate} is asked without a key`, 'GET', `${address}${path}`)
      }
      attacks.push(...webhooks(field))
      return attacks
    },
  }
}

/** Done is what is answered with success, or holds a word of the house. A page that anybody may load says nothing. */
async function send({ canaries }: Field, method: string, url: string, headers: Headers, body?: unknown): Promise<Outcome> {
  const { hostname, port, pathname, search } = new URL(url)
  const { statusCode, headers: answered, body: said } = await request(`http://${hostname}:${port}${pathname}${search}`, { method: method as 'GET', headers: { ...headers }, ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }), headersTimeout: 3_000, bodyTimeout: 3_000 })
  const text = await said.text()
  if (canaries.some((canary) => findCanary(canary, Buffer.from(text)))) return got('a word of the house')
  const isPage = String(answered['content-type']).startsWith('text/html') && method === 'GET'
  // the dashboard may know that a draft is there, and nothing that it says
  const isSummary = method === 'GET' && pathname.startsWith('/api/drafts/') && !/example\.org|"(?:wire|document|text|recipients|challenge)"/.test(text)
  if (statusCode < 300 && isSummary) return stopped(`HTTP ${statusCode} with ${Object.keys((JSON.parse(text) as { data: object }).data).join(', ')}, and none of its words`)
  if (statusCode < 300 && !isPage) return got(`HTTP ${statusCode}: ${text.slice(0, 120)}`)
  const code = /"code":\s*"([\w.]+)"/.exec(text)?.[1] ?? ''
  return stopped(isPage ? `HTTP ${statusCode}: the empty page, without data` : `HTTP ${statusCode} ${code}`.trim())
}

async function signIn({ origin }: Door, code: string): Promise<{ cookie: string; csrf: string }> {
  const answer = await fetch(`${origin}/api/signin`, { method: 'POST', headers: { origin, 'content-type': 'application/json' }, body: JSON.stringify({ code }) })
  const { data } = (await answer.json()) as { data: { csrf: string } }
  return { cookie: answer.headers.get('set-cookie')!.split(';')[0]!, csrf: data.csrf }
}

async function addressOf(field: Field, gate: 'gate-local' | 'gate-cloud'): Promise<string> {
  const { text } = await ask(field, { gate, key: '', method: 'GET', path: '/status' })
  return /http:\/\/127\.0\.0\.1:\d+|127\.0\.0\.1:\d+/.exec(text)![0].replace(/^(?!http)/, 'http://')
}

/** Anybody on the internet, where webhooks are delivered. */
function webhooks(field: Field): Attack[] {
  const base = `http://127.0.0.1:${field.webhookPort}`
  const body = JSON.stringify({ ref: 'refs/heads/main', note: 'forged' })
  const genuine = githubHeaders(body) as Headers
  const events = async () => (await field.owner.pool.query<{ count: number }>('select count(*)::int as count from inbound_event')).rows[0]!.count
  const cases: readonly (readonly [string, string, string, Headers, string])[] = [
    ['without a signature', 'POST', '/hooks/hub', { 'content-type': 'application/json', 'x-github-event': 'push', 'x-github-delivery': 'a' }, body],
    ['signed with another secret', 'POST', '/hooks/hub', githubHeaders(body, { secret: 'another secret, long enough too' }) as Headers, body],
    ['signed over another body', 'POST', '/hooks/hub', genuine, `${body} `],
    ['with the signature of an empty body', 'POST', '/hooks/hub', githubHeaders('') as Headers, body],
    ['with an older kind of signature', 'POST', '/hooks/hub', { ...Object.fromEntries(Object.entries(genuine).filter(([name]) => name.toLowerCase() !== 'x-hub-signature-256')), 'x-hub-signature': `sha1=${'a'.repeat(40)}` }, body],
    ['at a name that is not declared', 'POST', '/hooks/other', genuine, body],
    ['at a path that climbs', 'POST', '/hooks/../hooks/hub/../../api/jobs', genuine, body],
    ['at the API of the dashboard', 'POST', '/api/jobs/stolen-private/run', { 'content-type': 'application/json' }, '{}'],
    ['by GET', 'GET', '/hooks/hub', genuine, ''],
    ['larger than is read', 'POST', '/hooks/hub', genuine, 'a'.repeat(300 * 1024)],
  ]
  return cases.map(([name, method, path, headers, text]): Attack => ({
    name: `a webhook is delivered ${name}`,
    async attempt() {
      const before = await events()
      const { statusCode, body: said } = await request(`${base}${path}`, { method: method as 'POST', headers, ...(method === 'POST' && { body: text }) })
      await said.dump()
      return (await events()) > before || statusCode < 300 ? got(`HTTP ${statusCode}`) : stopped(`HTTP ${statusCode}, no event stored`)
    },
  }))
}
