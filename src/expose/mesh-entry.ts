import { isIP } from 'node:net'
import { Fault } from '../kernel/fault.ts'
import type { House } from '../house/index.ts'

/** All that a proxy and a firewall have to know of a house. */
export interface MeshEntry {
  readonly proxy: 'caddy' | 'tailscale'
  readonly pages: readonly MeshPage[]
  /** Of this machine on the mesh. */
  readonly addresses: readonly string[]
  readonly interface: string | null
  readonly certificate: { readonly file: string; readonly key: string } | null
  /** Does the proxy add the service token? */
  readonly addsToken: boolean
  /** Who may come, as addresses or networks; none: everybody on the mesh. */
  readonly devices: readonly string[]
  /** Ports that are for this machine alone. */
  readonly closed: readonly number[]
}

/** One page under its own name. */
export interface MeshPage {
  readonly what: 'dashboard' | 'signing'
  readonly origin: string
  /** On 127.0.0.1. */
  readonly port: number
}

/** @throws Fault `expose.absent` without a declaration, `expose.device` for a device that is no address, `expose.port` for a page that is at another port after each start */
export function meshEntry({ settings: { exposed, signing, ports } }: House, devices: readonly string[]): MeshEntry {
  if (!exposed) throw new Fault('invalid', 'expose.absent', 'castellan.yaml does not say how the pages are reached; write `expose:` with `server: https://NAME` (docs/recipes/open-to-your-mesh.md)')
  for (const device of devices) {
    const [address, bits, ...rest] = device.split('/')
    const most = isIP(address!) === 6 ? 128 : 32
    // no zone (fe80::1%eth0): it names an interface of this machine, and no device
    if (isIP(address!) === 0 || address!.includes('%') || rest.length > 0 || (bits !== undefined && !(/^[1-9]\d{0,2}$/.test(bits) && Number(bits) <= most))) {
      throw new Fault('invalid', 'expose.device', `${JSON.stringify(device)} is no address; rules are made of addresses, which no name server can change: write that of the device on the mesh (\`tailscale ip NAME\`), or a network like 10.8.0.0/24`)
    }
  }
  const signs = signing.origin?.startsWith('https:') ? [{ what: 'signing' as const, origin: signing.origin, port: ports.releaser }] : []
  const pages: MeshPage[] = [{ what: 'dashboard', origin: exposed.origin, port: ports.server }, ...signs]
  const moving = pages.find(({ port }) => port === 0)
  if (moving) throw new Fault('invalid', 'expose.port', `the ${moving.what === 'signing' ? 'signing page' : 'dashboard'} takes any free port, so no proxy knows where it is; write \`ports.${moving.what === 'signing' ? 'releaser' : 'server'}\` (or the variable that sets it) as a number other than 0`)
  return {
    proxy: exposed.proxy, addresses: exposed.addresses, interface: exposed.interface, certificate: exposed.certificate, addsToken: exposed.token === 'proxy', devices,
    pages,
    closed: [...new Set([ports.server, ports.releaser, ports.gateLocal, ports.gateCloud, ...(ports.webhooks === null ? [] : [ports.webhooks])])].filter((port) => port !== 0),
  }
}

/** Where a page is reached from outside. */
export const outerPort = (origin: string): number => Number(new URL(origin).port || 443)
