import { lookup as lookupOfSystem } from 'node:dns/promises'
import { BlockList, isIP, isIPv6 } from 'node:net'
import { Fault } from '../kernel/fault.ts'

/** Not on the internet: this machine, private and carrier networks, links, what is reserved, and ways to write IPv4 as IPv6. */
const elsewhere: readonly (readonly [string, number])[] = [
  ['10.0.0.0', 8], ['100.64.0.0', 10], ['127.0.0.0', 8], ['172.16.0.0', 12], ['192.0.0.0', 24], ['192.0.2.0', 24], ['192.88.99.0', 24], ['192.168.0.0', 16], ['198.18.0.0', 15],
  ['198.51.100.0', 24], ['203.0.113.0', 24], ['::', 96], ['::ffff:0:0:0', 96], ['fc00::', 7], ['fec0::', 10], ['64:ff9b::', 96], ['64:ff9b:1::', 48], ['100::', 64], ['2001::', 23], ['2001:db8::', 32], ['2002::', 16],
  ['3fff::', 20],
]
/** Nobody's place to send to, declared or not: links, where clouds keep their keys, many at once, and none at all. */
const never: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8], ['169.254.0.0', 16], ['224.0.0.0', 4], ['240.0.0.0', 4], ['::', 128], ['fe80::', 10], ['ff00::', 8], ['fd00:ec2::254', 128],
]

function listOf(ranges: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList()
  for (const [net, bits] of ranges) list.addSubnet(net, bits, isIPv6(net) ? 'ipv6' : 'ipv4')
  return list
}

const privateOnes = listOf(elsewhere)
const closedOnes = listOf(never)

/** Where an address lies. BlockList reads IPv4 in its IPv6 form (`::ffff:…`) as IPv4. */
export function placeOf(address: string): 'internet' | 'private' | 'closed' {
  const family = isIPv6(address) ? 'ipv6' : 'ipv4'
  if (closedOnes.check(address, family)) return 'closed'
  return privateOnes.check(address, family) ? 'private' : 'internet'
}

export type Lookup = (host: string) => Promise<readonly string[]>

const ofSystem: Lookup = async (host) => (await lookupOfSystem(host, { all: true, verbatim: true })).map(({ address }) => address)

/**
 * The one address that a host is reached at, for a whole act: who answers for its name cannot lead the second look elsewhere
 * than the first. A name that leads to a place that may not be reached is refused as a whole.
 * @throws Fault `http.refused`, `http.try_again` when the name cannot be resolved now
 */
export async function pinAddress(host: string, { isPrivate, lookup = ofSystem }: { readonly isPrivate: boolean; readonly lookup?: Lookup | undefined }): Promise<string> {
  const bare = host.replace(/^\[|\]$/g, '')
  let found: readonly string[]
  try {
    found = isIP(bare) === 0 ? await lookup(bare) : [bare]
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? ''
    throw new Fault('unavailable', 'http.try_again', `the name ${host} cannot be resolved (${code || (error as Error).message})`, { brief: `the name ${host} cannot be resolved` }, error)
  }
  for (const address of found) {
    const place = placeOf(address)
    if (place === 'internet' || (place === 'private' && isPrivate)) continue
    const instead = place === 'private' ? '; if you mean a machine of your own network, write `private: true` at the connector' : ', where nothing is sent'
    throw new Fault('refused', 'http.refused', `${host} leads to ${address}, which is not on the internet${instead}`, { suspicion: 'address' })
  }
  if (found[0] === undefined) throw new Fault('unavailable', 'http.try_again', `the name ${host} has no address`)
  return found[0]
}
