import { tokenHeader } from '../kernel/exposure.ts'
import { Fault } from '../kernel/fault.ts'
import type { MeshEntry, MeshPage } from './mesh-entry.ts'

export const caddyTokenFile = '/etc/caddy/castellan-token.caddy'

/** What stands in that file, so that the token is neither in the printed configuration nor in an environment. */
export const caddyTokenLine = (token: string): string => `header_up ${tokenHeader} ${token}\n`

/** Two sites, each before one page, on the addresses of the mesh alone. Host and Origin go on as they came, and no answer is held back. */
export function caddyfile(entry: MeshEntry, tokenFile = caddyTokenFile): string {
  return `# Printed by \`castellan expose --print\`.
{
	admin off
	auto_https disable_redirects
	servers {
		# no HTTP/3: the firewall opens TCP alone
		protocols h1 h2
	}
}

${entry.pages.map((page) => site(entry, page, tokenFile)).join('\n')}`
}

function site(entry: MeshEntry, { what, origin, port }: MeshPage, tokenFile: string): string {
  const lines = [
    `bind ${entry.addresses.join(' ')}`,
    ...certificate(entry, origin),
    ...(entry.devices.length > 0 ? [`@strangers not remote_ip ${entry.devices.join(' ')}`, 'abort @strangers'] : []),
    `reverse_proxy 127.0.0.1:${port} {`,
    '\t# what happens is shown as it happens',
    '\tflush_interval -1',
    // Caddy writes X-Forwarded-For, -Host and -Proto itself, since it trusts no client; what else claims to be from a proxy goes
    '\theader_up -Forwarded',
    '\theader_up -X-Real-IP',
    ...(entry.addsToken ? [`\timport ${quoted(tokenFile)}`] : []),
    '}',
  ]
  return `# the ${what === 'signing' ? 'page on which you sign' : 'dashboard'}; its security headers are its own\n${origin} {\n${lines.map((line) => `\t${line}\n`).join('')}}\n`
}

function certificate({ certificate }: MeshEntry, origin: string): string[] {
  if (certificate) return [`tls ${quoted(certificate.file)} ${quoted(certificate.key)}`]
  return new URL(origin).hostname.endsWith('.ts.net') ? [] : ['tls internal']
}

/** @throws Fault `expose.path` */
function quoted(path: string): string {
  if (/[\0-\x1f\x7f"`{}]/.test(path)) throw new Fault('invalid', 'expose.path', `${JSON.stringify(path)} holds a character that a Caddyfile takes apart; name the file otherwise`)
  return `"${path.replaceAll('\\', '\\\\')}"`
}
