import { isIP } from 'node:net'
import { isAbsolute } from 'node:path'
import type { Exposure } from '../../kernel/exposure.ts'
import type { Problem } from '../problem.ts'
import type { YamlSource } from '../yaml-source.ts'
import type { CastellanFile } from './castellan-file.ts'
import { isHostName } from './values.ts'

/** How the pages are reached from other machines. */
export interface ExposeSettings extends Exposure {
  /** Of the dashboard: scheme, name, and a port where it is not the usual one. */
  readonly origin: string
  readonly proxy: 'caddy' | 'tailscale'
  readonly addresses: readonly string[]
  readonly interface: string | null
  readonly certificate: { readonly file: string; readonly key: string } | null
}

export function toExpose({ expose }: CastellanFile): ExposeSettings | null {
  if (!expose) return null
  const { server, proxy, addresses, certificate, token, tokens } = expose
  return { origin: server, proxy, addresses, interface: expose.interface ?? null, certificate: certificate ?? null, token, digests: Object.values(tokens).map((digest) => digest.replace('sha256:', '')) }
}

/** A name that no browser would take for one, one name for both pages, and a token that nobody could show. */
export function checkExpose({ expose, outbox }: CastellanFile, source: YamlSource): Problem[] {
  if (!expose) return []
  const at = (key: string, what: string, instead: string) => source.problem(['expose', key], what, instead)
  const url = URL.canParse(expose.server) ? new URL(expose.server) : undefined
  if (url === undefined || url.protocol !== 'https:' || url.origin !== expose.server) return [at('server', `${expose.server} is not the origin of a page under https`, 'write scheme, name and port as the browser shows them, and nothing behind: https://house.example.ts.net')]
  if (isIP(url.hostname.replace(/^\[|\]$/g, '')) !== 0) return [at('server', `${expose.server} is an address, and certificates belong to names`, 'give the machine a name on your mesh and write https://NAME')]
  if (!isHostName(url.hostname)) return [at('server', `${url.hostname} is no name of a machine`, 'a name has letters, digits, - and . between them, and no certificate is for another')]
  const signing = outbox.sign_origin !== undefined && URL.canParse(outbox.sign_origin) ? new URL(outbox.sign_origin).hostname : undefined
  const paths = Object.values(expose.certificate ?? {}).filter((path) => !isAbsolute(path))
  return [
    ...(signing === url.hostname ? [at('server', `the dashboard and the signing page would both be ${url.hostname}, and cookies know no ports`, 'give each a name of its own')] : []),
    ...(expose.proxy === 'tailscale' && expose.token === 'proxy' ? [at('token', 'Tailscale Serve adds no header, so it cannot show a token', 'write token: none and leave it to the rules of your tailnet who gets through, or proxy: caddy')] : []),
    ...(expose.token !== 'none' && Object.keys(expose.tokens).length === 0 ? [at('tokens', 'a service token is asked for, and none counts: nobody could reach the pages', 'run `castellan expose token NAME` and write the line that it prints')] : []),
    ...(expose.proxy === 'caddy' && expose.addresses.length === 0 ? [at('addresses', 'Caddy would listen everywhere', 'write the addresses of this machine on the mesh (`tailscale ip`, `ip addr show wg0`)')] : []),
    ...(paths.length > 0 ? [at('certificate', `${paths.join(', ')} is not an absolute path`, 'write where Caddy finds it, e.g. /etc/caddy/mesh.pem')] : []),
  ]
}
