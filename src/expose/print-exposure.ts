import { caddyfile, caddyTokenFile } from './caddyfile.ts'
import type { MeshEntry } from './mesh-entry.ts'
import { nftables } from './nftables.ts'
import { pf } from './pf.ts'
import { tailscaleServe } from './tailscale.ts'

export interface PrintedExposure {
  readonly files: readonly { readonly path: string; readonly text: string; readonly check: string }[]
  readonly commands: readonly string[]
  readonly notes: readonly string[]
}

/** What opens the pages to the mesh, and to nobody else: files with the command that checks each, commands, and what has to be known. */
export function printExposure(entry: MeshEntry): PrintedExposure {
  const signing = entry.pages.some(({ what }) => what === 'signing')
  const caddy = entry.proxy === 'caddy' ? [{ path: '/etc/caddy/Caddyfile', text: caddyfile(entry), check: 'caddy validate --config /etc/caddy/Caddyfile --adapter caddyfile' }] : []
  return {
    files: [
      ...caddy,
      { path: '/etc/nftables.d/castellan.nft', text: nftables(entry), check: 'nft -c -f /etc/nftables.d/castellan.nft' },
      { path: '/etc/pf.anchors/castellan', text: pf(entry), check: 'pfctl -nf /etc/pf.anchors/castellan' },
    ],
    commands: entry.proxy === 'tailscale' ? [...tailscaleServe(entry), 'tailscale serve status'] : [],
    notes: [
      ...(entry.addsToken ? [`The service token of the proxy belongs into ${caddyTokenFile}, 0640 root:caddy; \`castellan expose token NAME\` prints it once.`] : []),
      ...(entry.proxy === 'tailscale' ? ['Services are hosted by machines with a tag: define them in the admin console, and tag this machine. It must say "tailnet only"; never Funnel.'] : []),
      'Keys of nodes expire, and a node that nobody sits at drops out of the mesh then: switch key expiry off for this machine (Tailscale: Machines, Disable key expiry; a tag does it too. WireGuard keys do not expire).',
      ...(signing ? [] : ['The page on which you sign is not among them: `outbox.sign_origin` names no address under https.']),
      ...(entry.interface === null ? ['`expose.interface` is not said, so the firewall rules do not look by which way somebody comes.'] : []),
    ],
  }
}
