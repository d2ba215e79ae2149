import { fileURLToPath } from 'node:url'
import { Fault } from '../kernel/fault.ts'
import type { SandboxCommand } from './sandbox.ts'

const forwarder = fileURLToPath(new URL('egress-forwarder.ts', import.meta.url))

/** Where the socket of the proxy is inside. */
export const egressSocket = '/egress'
/** Where a command finds its credential: a file of its own, in memory, that nobody else can read. */
export const credentialFile = '/tmp/credential'

/** The command as it is run when it has a way out: by a program that hands a port of its loopback on to the socket. */
export function throughEgress(command: SandboxCommand): SandboxCommand {
  const { egress, argv, folders = [], stdin } = command
  if (egress === undefined) return command
  if (egress.credential !== undefined && stdin !== undefined) throw new Fault('invalid', 'sandbox.stdin', 'a command gets a credential or an input, not both')
  return {
    ...command,
    argv: [process.execPath, forwarder, egressSocket, egress.credential === undefined ? '' : credentialFile, ...argv],
    folders: [...folders, { path: process.execPath, access: 'read' }, { path: forwarder, access: 'read' }],
    stdin: egress.credential === undefined ? stdin : [Buffer.from(egress.credential)],
  }
}
