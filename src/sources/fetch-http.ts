import type { HttpSourceSettings } from '../house/index.ts'
import { exchange, type Answer, type Lookup } from '../http/index.ts'
import { Fault } from '../kernel/fault.ts'
import { fetchFault, secretOf, type Fetched } from './fetched.ts'
import { fillAddress, type Params } from './fill.ts'

export interface HttpFetchDeps {
  /** By their names. */
  readonly secrets: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  readonly lookup?: Lookup | undefined
}

const accepted = { json: 'application/json', text: 'text/*, */*;q=0.1', bytes: '*/*' }
const connectMs = 10_000

/** One GET of a declared address, on a connection to the one address that its name has now. @throws Fault `source.…` */
export async function fetchHttp(source: HttpSourceSettings, params: Params, { secrets, signal, lookup }: HttpFetchDeps): Promise<Fetched> {
  const { name, credential, format, bytes, timeoutMs } = source
  const url = fillAddress(source, params)
  const { host } = new URL(url)
  const headers = { accept: accepted[format], ...(credential && { [credential.header]: `${credential.prefix}${secretOf(credential.secret, secrets[credential.secret])}` }) }
  const answer = await ask({ method: 'GET', url, headers, body: null })
  const { status, body, cut } = answer
  if (status >= 300 && status < 400) throw fetchFault('refused', 'redirect', `${host} answered ${status}, which leads elsewhere; redirects are not followed. Correct the address of ${name}`, { status })
  if (status === 401 || status === 403) throw fetchFault('refused', 'denied', `${host} answered ${status}: it does not take the credential of ${name}`, { status })
  if (status !== 200) throw fetchFault(status >= 500 || status === 429 || status === 408 ? 'unavailable' : 'refused', 'status', `${host} answered ${status}`, { status })
  if (cut === 'size') throw fetchFault('invalid', 'size', `${name} answered more than ${bytes} bytes; ask it for less, or raise its \`kilobytes\``, { status, bytes })
  if (body === undefined) throw fetchFault('unavailable', 'broken', `the answer of ${host} broke off, or took longer than ${timeoutMs / 1_000} s`, { status })
  if (!/^(?:identity)?$/i.test(answer.headers['content-encoding'] ?? '')) throw fetchFault('invalid', 'format', `${host} compressed its answer without being asked to`, { status, bytes: body.length })
  return { status, media: mediaOf(answer), body }

  async function ask(outgoing: Parameters<typeof exchange>[0]): Promise<Answer> {
    try {
      return await exchange(outgoing, { network: { isPrivate: source.private, ca: source.ca, lookup }, signal, commit: async () => {}, patience: { connect: Math.min(connectMs, timeoutMs), answer: timeoutMs }, reads: bytes })
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      if (error.code === 'http.refused') throw fetchFault('refused', 'address', error.message, {}, error)
      throw fetchFault('unavailable', 'unreachable', error.code === 'http.unknown' ? `${host} did not answer in time, or not in HTTP` : error.message, {}, error)
    }
  }
}

function mediaOf({ headers }: Answer): string {
  const [media = ''] = (headers['content-type'] ?? '').split(';')
  return /^[\w.+-]+\/[\w.+-]+$/.test(media.trim()) ? media.trim().toLowerCase().slice(0, 100) : 'application/octet-stream'
}
