import type { HttpConnectorSettings } from '../../house/index.ts'
import { Fault } from '../../kernel/fault.ts'
import { actOf } from '../compose/outbound.ts'
import { composeRequest } from '../compose/request.ts'
import { sha256 } from '../document.ts'
import { checkBytes } from './check-bytes.ts'
import type { Connector } from './connector.ts'
import { openConnection, type Network } from './http/connection.ts'
import { exchange, type HttpPatience } from './http/exchange.ts'
import { judgeStatus } from './http/judge-status.ts'

export interface HttpRequestOptions extends Pick<HttpConnectorSettings, 'name' | 'url' | 'methods' | 'spends'> {
  /** The header that the releaser fills, with what stands before the secret, and the secret: its name, and its value when there is one. */
  readonly credential?: { readonly header: string; readonly prefix: string; readonly secret: string; readonly value: string | undefined } | undefined
  readonly network: Network
  readonly patience?: Partial<HttpPatience>
}

const reachMs = 10_000

/** Makes requests to one host, by the declared methods. A credential is a header that only the releaser fills. */
export function createHttpRequestConnector({ name, url, methods, spends, credential, network, patience }: HttpRequestOptions): Connector {
  const { host } = new URL(url)
  const adds = credential === undefined ? 'The releaser adds no credential.' : `The releaser adds the header ${credential.header}, out of the secret ${credential.secret}.`
  const account = `${url} (${methods.join(', ')}${credential === undefined ? '' : `; ${credential.header} by ${credential.secret}`})`
  return {
    name,
    kind: 'http',
    account,
    zone: 'internet',
    from: account,
    accepts: (kind) => kind === 'http.request',
    compose: async (_kind, payload, frame) => composeRequest(payload, frame, { url, methods, credential: credential?.header, adds, spends }),
    async deliver(wire, document, signal, commit) {
      const act = actOf(wire, ['http.request'], account)
      if (!act.url.startsWith(`${url}/`) || !methods.some((method) => method === act.method)) {
        throw new Fault('refused', 'connector.not_sent', `the bytes ask ${act.method} ${act.url}, which this connector may not; nothing was sent`)
      }
      checkBytes(wire, document)
      const headers = { ...Object.fromEntries(act.headers.map((header) => [header.name, header.value])), ...credentialOf(credential) }
      const answer = await exchange({ method: act.method, url: act.url, headers, body: act.body === null ? null : Buffer.from(act.body) }, { network, signal, commit, patience })
      const fault = judgeStatus(host, answer.status, answer.headers, { isQuestion: act.method === 'GET' || act.method === 'HEAD', isIdempotent: false })
      if (fault) throw fault
      return { host, reply: String(answer.status), method: act.method, sha256: sha256(act.body ?? ''), length: Buffer.byteLength(act.body ?? '') }
    },
    async reach(signal) {
      credentialOf(credential)
      ;(await openConnection(new URL(url), network, { milliseconds: reachMs, signal })).destroy()
      return `${host} takes connections`
    },
  }
}

function credentialOf(credential: HttpRequestOptions['credential']): Record<string, string> {
  if (credential === undefined) return {}
  const { header, prefix, secret, value } = credential
  if (value === undefined || !/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value)) {
    throw new Fault('refused', 'connector.not_sent', `there is no secret ${secret}, or it is not one line of ASCII; nothing was sent. Put it into $CASTELLAN_HOME/secrets/${secret}`)
  }
  return { [header]: `${prefix}${value}` }
}
