import { isIP } from 'node:net'
import { outerPort, type MeshEntry } from './mesh-entry.ts'

/** Rules in a table of their own, which closes and never opens: what other tables forbid stays forbidden, and what is no business of Castellan passes. */
export function nftables(entry: MeshEntry): string {
  const ports = [...new Set(entry.pages.map(({ origin }) => outerPort(origin)))].join(', ')
  return `#!/usr/sbin/nft -f
# Printed by \`castellan expose --print\`.
table inet castellan
delete table inet castellan
table inet castellan {
	chain input {
		type filter hook input priority filter - 10; policy accept;
		iifname "lo" accept
		# these listen on loopback alone; should one ever not, it is closed all the same
		tcp dport { ${entry.closed.join(', ')} } drop
${[4, 6].flatMap((family) => ofFamily(entry, family, ports)).map((line) => `\t\t${line}\n`).join('')}	}
}
`
}

function ofFamily({ addresses, devices, interface: mesh }: MeshEntry, family: number, ports: string): string[] {
  const own = addresses.filter((address) => isIP(address) === family)
  if (own.length === 0) return []
  const ip = family === 4 ? 'ip' : 'ip6'
  const here = `${ip} daddr { ${own.join(', ')} } tcp dport { ${ports} }`
  const allowed = devices.filter((device) => isIP(device.split('/')[0]!) === family)
  return [
    ...(mesh === null ? [] : [`${here} iifname != "${mesh}" drop`]),
    ...(devices.length === 0 ? [] : [allowed.length === 0 ? `${here} drop` : `${here} ${ip} saddr != { ${allowed.join(', ')} } drop`]),
  ]
}
