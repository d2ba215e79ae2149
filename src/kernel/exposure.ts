import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { Fault } from './fault.ts'

/** A name by which one of the pages is reached from other machines, through a proxy. */
export interface Exposure {
  /** Who shows the service token: nobody, the proxy for all that it hands on, or the device itself. */
  readonly token: 'none' | 'proxy' | 'device'
  /** SHA-256 of the tokens that count, in hexadecimal. */
  readonly digests: readonly string[]
}

export const tokenHeader = 'castellan-service-token'

/** What proxies add, and nobody who asks from this machine by himself. */
const addedByProxies = new RegExp(`^(?:forwarded|x-forwarded-.*|x-original-.*|x-real-ip|x-client-ip|x-proxyuser-ip|true-client-ip|via|tailscale-.*|cf-.*|x-envoy-.*|ngrok-.*|fly-.*|${tokenHeader})$`)

export const digestOf = (token: string): string => createHash('sha256').update(token).digest('hex')

/**
 * Of a request under a name of this machine alone: it must not have come through a proxy, which would let in who cannot reach this machine.
 * @throws Fault `proxy.unexpected`
 */
export function checkDirect(headers: IncomingHttpHeaders): void {
  const added = Object.keys(headers).find((name) => addedByProxies.test(name))
  if (added === undefined) return
  throw new Fault('refused', 'proxy.unexpected', `this came through a proxy (${added}), under a name that is for this machine alone; declare the name that others ask for (\`expose\` in castellan.yaml), and let the proxy hand on Host as it came`)
}

/**
 * Of a request under the name that others ask for: it has to bring the service token, and must say of itself what we know. Nothing that it says of
 * addresses is used for anything.
 * @throws Fault `service_token.missing`, `service_token.unknown`, `proxy.forged`
 */
export function checkExposed(headers: IncomingHttpHeaders, origin: string, { token, digests }: Exposure): void {
  if (token !== 'none') checkToken(headers[tokenHeader], digests)
  const { host, protocol } = new URL(origin)
  const forged = [
    headers['x-forwarded-host'] !== undefined && headers['x-forwarded-host'] !== host && 'x-forwarded-host',
    headers['x-forwarded-proto'] !== undefined && `${String(headers['x-forwarded-proto'])}:` !== protocol && 'x-forwarded-proto',
    // our proxies are the first there is: they write one address, and never this header
    String(headers['x-forwarded-for'] ?? '').includes(',') && 'x-forwarded-for',
    headers.forwarded !== undefined && 'forwarded',
  ].find((name) => name !== false)
  if (forged) throw new Fault('refused', 'proxy.forged', `${forged} does not say what the proxy of ${origin} would say; it must not trust what clients send (\`castellan expose --print\` shows how)`)
}

function checkToken(given: string | string[] | undefined, digests: readonly string[]): void {
  if (typeof given !== 'string' || given === '') throw new Fault('refused', 'service_token.missing', `the header ${tokenHeader} is missing; \`castellan expose token NAME\` makes a token for the proxy, or for a device`)
  const digest = Buffer.from(digestOf(given), 'hex')
  // all of them, so that time does not tell which
  const known = digests.map((one) => timingSafeEqual(Buffer.from(one, 'hex'), digest)).includes(true)
  if (!known) throw new Fault('refused', 'service_token.unknown', 'this service token counts for nothing any more; `castellan expose token NAME` makes another')
}
