import type { Destination, Refusal } from './destination.ts'

/** For whoever reads the output of the command: why, and what to do. */
export function explain(reason: Refusal, declared: readonly Destination[]): string {
  const places = declared.map(({ host, port }) => `${host}:${port}`).join(', ')
  switch (reason) {
    case 'plain':
      return `Only TLS leads out of here: ask https, of ${places}.\n`
    case 'literal':
      return `Addresses are refused; ask a declared host by its name: ${places}.\n`
    case 'host':
    case 'port':
      return `This host or port is not declared. Declared are ${places}; if another is meant, write it into \`network\` in castellan.yaml.\n`
    case 'address':
      return 'The name leads to an address that is not on the internet. If a machine of your own network is meant, write `private: true` where the host is declared.\n'
    case 'limit':
      return 'This run has asked for as many connections as it may.\n'
    case 'unresolved':
    case 'unreachable':
      return 'The host cannot be reached now; try again later.\n'
    default:
      return `This is no CONNECT to a declared host: ${places}.\n`
  }
}
