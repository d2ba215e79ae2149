import { isIP } from 'node:net'
import { outerPort, type MeshEntry } from './mesh-entry.ts'

const table = '<castellan_devices>'

/** An anchor for pf, which closes and never opens: it blocks before whatever the rest of the rules allows, and lets that decide the rest. */
export function pf(entry: MeshEntry): string {
  const ports = [...new Set(entry.pages.map(({ origin }) => outerPort(origin)))].join(' ')
  const blocks = entry.addresses.flatMap((address) => {
    const family = isIP(address)
    const here = `to ${address} port { ${ports} }`
    const on = (place: string) => `block drop in quick on ${place} ${family === 4 ? 'inet' : 'inet6'} proto tcp from`
    const hasDevice = entry.devices.some((device) => isIP(device.split('/')[0]!) === family)
    return [
      ...(entry.interface === null ? [] : [`${on(`! ${entry.interface}`)} any ${here}`]),
      ...(entry.devices.length === 0 ? [] : [`${on(entry.interface ?? '! lo0')} ${hasDevice ? `! ${table}` : 'any'} ${here}`]),
    ]
  })
  return `# Printed by \`castellan expose --print\`, for /etc/pf.anchors/castellan.
${entry.devices.length === 0 ? '' : `table ${table} const { ${entry.devices.join(' ')} }\n`}block drop in quick on ! lo0 proto tcp from any to any port { ${entry.closed.join(' ')} }
${blocks.map((line) => `${line}\n`).join('')}`
}
