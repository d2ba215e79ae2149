import { Fault } from '../../../kernel/fault.ts'
import type { Network } from '../http/connection.ts'
import { exchange, type Answer, type HttpPatience } from '../http/exchange.ts'
import { judgeStatus } from '../http/judge-status.ts'

export interface DavOptions {
  readonly calendar: string
  readonly user: string
  /** The secret: its name, and its value when there is one. */
  readonly password: { readonly secret: string; readonly value: string | undefined }
  readonly network: Network
  readonly patience?: Partial<HttpPatience> | undefined
}

interface Ask {
  readonly signal: AbortSignal
  readonly commit?: (() => Promise<void>) | undefined
}

/** What stands at a resource: its bytes as text, and their version. */
export interface Resource {
  readonly text: string
  readonly etag: string
}

const longest = 64 * 1024

/** What of CalDAV (RFC 4791) one calendar needs: to see, put and delete a resource, each as long as it is the version that was seen. */
export function createDav({ calendar, user, password, network, patience }: DavOptions) {
  const { host } = new URL(calendar)

  function ask(method: string, path: string, { signal, commit = async () => {} }: Ask, headers: Readonly<Record<string, string>> = {}, body: string | null = null): Promise<Answer> {
    const login = `Basic ${Buffer.from(`${user}:${passwordOf(password)}`).toString('base64')}`
    return exchange({ method, url: `${calendar}${path}`, headers: { ...headers, authorization: login }, body: body === null ? null : Buffer.from(body) }, { network, signal, commit, patience, reads: longest })
  }

  /** A second one finds another version, or none: a failure of the other side can be tried again. @throws Fault */
  function check(answer: Answer, isQuestion = true): Answer {
    const fault = judgeStatus(host, answer.status, answer.headers, { isQuestion, isIdempotent: true })
    if (fault) throw fault
    // taken, and still to be done; done in parts (RFC 4918)
    if (!isQuestion && (answer.status === 202 || answer.status === 207)) throw new Fault('unavailable', 'connector.unknown', `${host} answered ${answer.status}, which does not say whether it was done`)
    return answer
  }

  return {
    /** Nothing when nothing is there. @throws Fault `calendar.version`, `calendar.large` */
    async get(name: string, options: Ask): Promise<Resource | undefined> {
      const answer = await ask('GET', name, options, { accept: 'text/calendar' })
      if (answer.status === 404 || answer.status === 410) return undefined
      check(answer)
      const { etag } = answer.headers
      if (etag === undefined || !/^"[\x21\x23-\x7e]{1,200}"$/.test(etag)) throw new Fault('refused', 'calendar.version', `${host} does not say which version ${name} is; change it in your calendar`)
      return { text: readText(answer.body, name), etag }
    },
    /** Puts it there as long as that version is there, or as long as nothing is (null). Says of which version it is now, where the server does. */
    async put(name: string, text: string, version: string | null, options: Ask): Promise<{ readonly status: number; readonly etag: string | undefined }> {
      const condition: Record<string, string> = version === null ? { 'if-none-match': '*' } : { 'if-match': version }
      const answer = await ask('PUT', name, options, { ...condition, 'content-type': 'text/calendar; charset=utf-8' }, text)
      if (answer.status !== 412) check(answer, false)
      return { status: answer.status, etag: answer.headers.etag }
    },
    /** 404 and 412 are told and not thrown. */
    async remove(name: string, version: string, options: Ask): Promise<number> {
      const answer = await ask('DELETE', name, options, { 'if-match': version })
      if (answer.status !== 412 && answer.status !== 404 && answer.status !== 410) check(answer, false)
      return answer.status
    },
    /** Does it say that it tells those who take part (RFC 6638)? */
    async tells(options: Ask): Promise<boolean> {
      return /(?:^|[\s,])calendar-auto-schedule(?:$|[\s,])/.test(String(check(await ask('OPTIONS', '', options)).headers['dav'] ?? ''))
    },
    /** Is it a calendar? Of the answer, which is XML, only that one word is looked for. */
    async isCalendar(options: Ask): Promise<boolean> {
      const body = '<?xml version="1.0" encoding="utf-8"?>\n<propfind xmlns="DAV:"><prop><resourcetype/></prop></propfind>'
      const answer = check(await ask('PROPFIND', '', options, { depth: '0', 'content-type': 'application/xml; charset=utf-8' }, body))
      return /<(?:[\w.-]+:)?calendar(?:\s[^<>]*)?\/?>/.test(answer.body?.toString('utf8') ?? '')
    },
  }
}

/** Back as it came, or not at all: what is put there again has to be the very same bytes. */
function readText(body: Buffer | undefined, name: string): string {
  if (body === undefined) throw new Fault('refused', 'calendar.large', `${name} is larger than ${longest / 1024} kB, or broke off; change it in your calendar`)
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)
  } catch {
    throw new Fault('refused', 'calendar.text', `${name} is not text in UTF-8; change it in your calendar`)
  }
}

function passwordOf({ secret, value }: DavOptions['password']): string {
  if (value !== undefined && value !== '' && !/\p{Cc}/u.test(value)) return value
  throw new Fault('refused', 'connector.not_sent', `there is no secret ${secret}, or it is not one line; nothing was sent. Put the password of the calendar into $CASTELLAN_HOME/secrets/${secret}`)
}
