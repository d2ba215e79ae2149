import { isIP } from 'node:net'
import type { Problem } from '../problem.ts'
import type { YamlSource } from '../yaml-source.ts'
import type { CastellanFile } from './castellan-file.ts'
import { isHostName } from './values.ts'

/** Where drafts are signed in a browser: the page's origin with its port, and the name that passkeys belong to (WebAuthn's RP id). */
export interface SigningSite {
  readonly origin: string
  readonly rpId: string
}

/** Without a name of its own the page is at localhost, on the port that it really has. */
export function signingSite({ origin, rpId }: { readonly origin: string | null; readonly rpId: string | null }, port: number): SigningSite {
  const site = origin ?? `http://localhost:${port}`
  return { origin: site, rpId: rpId ?? new URL(site).hostname }
}

/** An origin at which no browser would let a passkey sign, or that answers nobody. */
export function checkSigning({ outbox, ports, expose }: CastellanFile, source: YamlSource): Problem[] {
  const { sign_origin: origin = null, rp_id: rpId = null } = outbox
  const ofOrigin = origin === null ? undefined : originProblem(origin)
  if (ofOrigin) return [source.problem(['outbox', 'sign_origin'], ...ofOrigin)]
  const site = signingSite({ origin, rpId }, ports.releaser)
  const ofName = nameProblem(site)
  if (ofName) return [source.problem(['outbox', rpId === null ? 'sign_origin' : 'rp_id'], ...ofName)]
  if (!site.origin.startsWith('https:') || expose) return []
  return [source.problem(['outbox', 'sign_origin'], `nobody can sign at ${site.origin}: nothing says what the proxy before it has to show`, 'write expose: with a token, or with token: none where your mesh says who gets through (docs/recipes/sign-from-your-phone.md)')]
}

type Complaint = readonly [what: string, instead: string]

function originProblem(text: string): Complaint | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.origin !== text) {
    const origin = url && /^https?:$/.test(url.protocol) ? url.origin : 'https://castellan.example.ts.net'
    return [`${text} is not the origin of a page`, `write scheme, name and port as the browser shows them, and nothing behind: ${origin}`]
  }
  if (isIP(url.hostname.replace(/^\[|\]$/g, '')) !== 0) return [`${text} is an address, and passkeys belong to names`, 'give the machine a name on your mesh and write https://NAME, or use http://localhost']
  if (!isHostName(url.hostname)) return [`${url.hostname} is no name of a machine`, 'a name has letters, digits, - and . between them, and no certificate is for another']
  if (url.protocol === 'http:' && url.hostname !== 'localhost') return [`browsers let nobody sign at ${text}`, `put HTTPS in front of it (docs/recipes/sign-from-your-phone.md) and write https://${url.host}`]
  return undefined
}

function nameProblem({ origin, rpId }: SigningSite): Complaint | undefined {
  const host = new URL(origin).hostname
  if (rpId === host || (host.endsWith(`.${rpId}`) && rpId.includes('.'))) return undefined
  return [`passkeys for ${rpId} cannot sign at ${origin}`, `leave rp_id out, or write ${host} or a domain that it is part of`]
}
