import { isIP } from 'node:net'
import { outerPort, type MeshEntry } from './mesh-entry.ts'

/** An anchor for pf, which closes and never opens: quick blocks before whatever the rest of the rules allows. */
export function pf(entry: MeshEntry): string {
  const ports = [...new Set(entry.pages.map(({ origin }) => outerPort(origin)))].join(' ')
  const blocks = entry.addresses.flatMap((address) => {
    const family = isIP(address)
    const to = `${family === 4 ? 'inet' : 'inet6'} proto tcp from`
    const devices = entry.devices.filter((device) => isIP(device.split('/')[0]!) === family)
    return [
      ...(entry.interface === null ? [] : [`block drop in quick on ! ${entry.interface} ${to} any to ${address} port { ${ports} }`]),
      ...(entry.devices.length === 0 ? [] : [...devices.map((device) => `pass in quick ${to} ${device} to ${address} port { ${ports} }`), `block drop in quick ${to} any to ${address} port { ${ports} }`]),
    ]
  })
  return `# Printed by \`castellan expose --print\`, for /etc/pf.anchors/castellan.
block drop in quick on ! lo0 proto tcp from any to any port { ${entry.closed.join(' ')} }
${blocks.map((line) => `${line}\n`).join('')}`
}
