import { randomBytes } from 'node:crypto'
import { realpath, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { CommandSourceSettings } from '../house/index.ts'
import { openEgressProxy, type EgressLedger } from '../egress/index.ts'
import type { Lookup } from '../http/index.ts'
import type { Sandbox } from '../sandbox/index.ts'
import { fetchFault, secretOf, type Fetched } from './fetched.ts'
import { fillArguments, type Params } from './fill.ts'

export interface CommandFetchDeps {
  readonly secrets: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  readonly sandbox: Pick<Sandbox, 'run'>
  /** Where a command finds its credential, inside. */
  readonly credentialFile: string
  /** A short path, into which nobody else gets: the sockets by which commands leave. */
  readonly folder: string
  readonly ledger: EgressLedger
  readonly lookup?: Lookup | undefined
}

const media = { json: 'application/json', text: 'text/plain', bytes: 'application/octet-stream' }

/** Runs a declared program in a sandbox with a way out of its own, to the declared hosts, and takes what it writes. @throws Fault `source.…` */
export async function fetchCommand(source: CommandSourceSettings, params: Params, deps: CommandFetchDeps): Promise<Fetched> {
  const { name, credential, network, format, bytes, timeoutMs } = source
  const secret = credential && secretOf(credential.secret, deps.secrets[credential.secret])
  const [named, ...args] = fillArguments(source, params) as [string, ...string[]]
  const program = await realpath(named).catch(() => {
    throw fetchFault('missing', 'program', `there is no program ${named}; install it, or correct the argv of ${name}`)
  })
  const socket = join(deps.folder, randomBytes(6).toString('hex'))
  const proxy = await openEgressProxy(socket, { destinations: network, isPrivate: source.private, ledger: deps.ledger, lookup: deps.lookup })
  try {
    const { ended, exitCode, stdout } = await deps.sandbox.run({
      argv: [program, ...args],
      folders: [{ path: program, access: 'read' }],
      egress: { socket, credential: secret },
      env: credential && { [credential.env]: deps.credentialFile },
      limits: { timeoutMs, outputBytes: bytes },
      signal: deps.signal,
    })
    if (ended === 'timeout') throw fetchFault('timeout', 'timeout', `${program} took longer than ${timeoutMs / 1_000} s; raise the \`timeout\` of ${name}, or ask it for less`)
    if (ended === 'output') throw fetchFault('invalid', 'size', `${program} wrote more than ${bytes} bytes; ask it for less, or raise the \`kilobytes\` of ${name}`, { bytes })
    // its family may have lost one to it and ended well all the same
    if (ended === 'memory') throw fetchFault('unavailable', 'memory', `${program} took more memory than a command may have; ask it for less`, { status: exitCode, bytes: stdout.length })
    if (exitCode !== 0) throw fetchFault('unavailable', 'exit', `${program} ${ended === 'signal' ? `was ended by signal ${exitCode - 128}` : `ended with ${exitCode}`}. Hosts that it was refused are in the log of the reader; declare them under \`network\` of ${name} if they are meant`, { status: exitCode, bytes: stdout.length })
    return { status: exitCode, media: media[format], body: stdout }
  } finally {
    await proxy.close()
    await rm(socket, { force: true })
  }
}
